"""Histories: read from any file, written as a run goes, seen by checkers as ops or as columns."""
