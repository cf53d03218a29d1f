"""After the race: what was driven, measured against what was planned and what was possible."""
