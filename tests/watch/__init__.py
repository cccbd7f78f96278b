"""Tests of the watcher: real directories, real git, and as many ways of watching as this machine has."""
