"""The pre-deployment check of a finished run, and the gates that a run is judged by."""
