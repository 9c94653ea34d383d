"""What runs say, for people: tables, plots, and the utterances behind them.

tables       tables of runs, as text
contents     all tables of a report
markdown     tables as Markdown
latex        tables as LaTeX
curves       which runs lie on one curve, and what was published beside it
averages     means over datasets, as the paper's tables have them
languages    error rates of one dataset in several languages
plots        curves, bars and latencies as SVG
published    runs beside what others published
audio        recordings, as part of a page
alignments   the worst utterances, word by word, with audio
differences  where live and file transcripts differ
html         the page
"""
