"""Clusters: where nodes run (local namespaces, Docker), and how a target's recipe becomes programs or an image.

Why it exists  one folder for all that a cluster shares with another; each cluster is a module found through its entry point.
Relies on      harness.cluster for what a cluster is; nothing of a target but its Recipe and Service.
"""
