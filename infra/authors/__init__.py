"""For authors of flows: a flow to begin with, what is wrong with one, pages made from the code."""
