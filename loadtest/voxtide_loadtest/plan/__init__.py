"""From a measured capacity and an arrival pattern to a fleet: replicas, settings, spare, cost.

    inputs       what the user gives, checked where it comes in
    lengths      how long sessions last
    pattern      when they come, and how many are open at once
    erlang       the formulas: who is refused, who waits, how many servers it takes
    sizing       replicas over the day, and the settings of the autoscaler
    events       what a rollout and a lost node take
    proposal     all of it together
    autoscaler   what the Kubernetes autoscaler does with those settings
    replicas     sessions on replicas, and who gets the next one
    simulation   the fleet through a day, session by session
    values       the settings as values of the Helm chart
    output       as tables, as JSON
    plots, html  as one page
    command      `python -m voxtide_loadtest plan`

Times are seconds since midnight, a stream is a session that is open, and offered streams are what
would be open if nobody were refused (telephony's offered traffic in erlangs).
"""
