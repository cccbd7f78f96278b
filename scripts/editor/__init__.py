"""A real VS Code for people without one, and for tests: code-server in a browser, driven headless by Chromium."""
