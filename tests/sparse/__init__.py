"""Tests of sparse."""
