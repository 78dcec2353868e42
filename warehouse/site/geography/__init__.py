"""London as it is drawn: a grid of our own with a square a borough, and generalised outlines of the Office for National Statistics."""
