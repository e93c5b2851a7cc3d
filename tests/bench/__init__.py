"""Measurements, each one command. No absolute time is asserted anywhere: only ratios taken in one run mean something."""
