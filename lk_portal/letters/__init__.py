"""What the portal writes to people: templates in every language, and the message a letter becomes.

Pure: nothing here reads the database or talks to a mail server. `services.letters` keeps letters, `jobs`
sends them.
"""
