"""What ``bridge demo`` shows: the stage, the people, the scripted day, and the proof.

    telling   what appears on the terminal or in a pipe
    people    persons who work in a tracker through its API
    post      a mail server, so that the bridge's letters are really sent
    stage     the two simulators, the configuration, the daemon as a process of its own
    day       what every act needs: stage, people, voice, and waiting for what must come
    script    the ordinary part of the day
    rights    changes that wait for a person, a secret that stays inside
    clocks    a goal that is missed, and who is told
    trouble   the rest: a conflict, a storm of 429s, a kill -9, a shared login
    reading   words of wiki text and of ADF, read apart from the product's markup
    proof     the two trackers compared with the agreement, apart from the product's core
    ending    the table, the checks, and what --keep prints

``config/`` and ``contents/`` are the configuration and the tickets that the demo ships.
"""
