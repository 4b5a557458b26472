"""One framework for every HTML page: a template folder, a stylesheet, a script; nothing is fetched from anywhere.

`framework` renders, `drawing` turns charts into SVG, `pictures` turns images into data URIs.
"""
