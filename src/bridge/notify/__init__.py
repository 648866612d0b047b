"""Telling people by mail: what a letter says, what it looks like, and how it is handed to a mail server.

Letters are put into the store's outbox together with what they tell of; the daemon's mailer hands them over.
"""
