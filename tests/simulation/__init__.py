"""The protocol of delivery in a deterministic simulation: actors on a virtual clock, a seeded network, a nemesis.

After FoundationDB (Zhou et al. 2021, section 4) and TigerBeetle: a seed gives one schedule, a failing one replays.
"""
