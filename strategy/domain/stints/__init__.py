"""The stint problem: who drives which laps, when the car stops, and what it costs.

`instance` reads the problem, `scoring` judges a plan on its own, `solve` finds the best one.
"""
