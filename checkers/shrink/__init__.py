"""What may be left out of a history, so that what remains is still a history that could have been recorded.

Why it exists  an invalid history of a thousand operations convinces nobody; one of four does. But leaving a write out makes liars of those
               who read it. Each family of histories says here what goes together; harness/shrink.py leaves out as much as it can.
Relies on      this: if the whole history keeps its promise, so does what remains; each family argues it in its opening. Whether what
               remains still shows the anomaly is asked of the checker itself at each step. Which family is a checker's: entry points of the
               group splitbrain.parts, by the checker's name.
"""
