"""What a model takes to serve: time, energy and CO2."""
