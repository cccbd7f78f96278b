"""Tests of the terminal's door."""
