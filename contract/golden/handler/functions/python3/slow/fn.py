import asyncio

calls = 0
all_are_there = asyncio.Event()


async def fn(input, headers):
    global calls
    calls += 1
    if calls == 8:
        all_are_there.set()
    await all_are_there.wait()
    return input
