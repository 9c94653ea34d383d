"""Hours of speech while connections break and servers die, and an account of every word.

    ledger       one session: what was said, and what was answered
    account      the sum of all sessions, which must balance
    slope        whether memory grows: a slope with its interval
    deck         which fault is next
    proxy        between speakers and servers: loses connections, delays bytes
    netem        a link that the kernel makes worse
    servers      servers of this machine that end and are started again
    stage        what faults act on
    faults/      one module for each, and their table
    speaker      somebody who speaks with voxtide's client
    alone        what the server hears when nobody else is there
    watch        memory and CPU of the servers
    run          all of it together
    output       as tables, as JSON
    plots, html  as one page
    command      `python -m voxtide_loadtest soak`

Times are seconds: of a session's audio in the ledger, since the beginning of the run elsewhere.
"""
