"""File events: inotify on Linux, watchfiles elsewhere, polling as the last resort."""
