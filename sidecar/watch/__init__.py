"""Tell file events: by inotify on Linux, watchfiles elsewhere, polling as the last resort."""
