"""Programs that run inside the sandbox, on the standard library and what the project itself needs.

Their source is passed to the interpreter with `-c`, so that nothing of ours lies in the project. Each writes one JSON
object to the file descriptor named by RESULT_FD; standard output is the log.
"""
