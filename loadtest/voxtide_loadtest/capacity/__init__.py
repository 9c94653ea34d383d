"""The most live streams that a server carries within a service level objective (SLO).

    confidence   what a number of passed trials says
    search       which trial comes next, and when it is enough; no I/O
    server       what is measured, and how it is addressed
    slo          whether the figures of a trial keep the SLO
    trial        one run of the generator, in processes of its own
    scrape       what the server's /metrics says meanwhile
    course       searches that go on side by side
    result       what was found: JSON, CSV, and a sentence
    timeline     what is drawn over time
    plots, report  as one page
    comparison   two results side by side
    command      `python -m voxtide_loadtest capacity`, `… compare`

Locust patches the standard library of its process for gevent: the commands here never import it.
"""
