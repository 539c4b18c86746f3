"""What a file holds: found out by its content, read by openssl, and told in the field's own words.

`content` takes a file apart, `reading` has openssl read the parts, `objects` is what comes of it.
On these stand `objections` (what strict validators say), `order` (of a chain), `matching` (what
belongs together), `telling` and `data` (lines and data), and for the same in another form
`conversion` (what goes into which file), `maker` (makes and proves it) and `writing` (puts it in
place).
"""
