"""What is wrong with this machine or a deployment, and what to do."""
