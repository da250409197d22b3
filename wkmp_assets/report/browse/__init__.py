"""Pages to look at a library and to listen to it, served by Datasette: tables, questions, files, passages, pictures.

`app.py` builds the application, `plugin.py` is what Datasette calls, `pages.py` reads what the pages show, and
`served_files.py` decides which files leave the disk. Nothing here writes.
"""
