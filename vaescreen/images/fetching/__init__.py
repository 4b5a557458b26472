"""How published data sets get here: from the hub (`hub`) and the web (`downloads`, `answers`) into the `store`.

`fetch` asks for one whole, has every file verified and its archives unpacked. What the hub answers when it refuses
(`hub_answers`) serves autoencoders, too.
"""
