"""Missions: states, mornings, points, facts and the checks on what a model wrote. All pure."""
