import asyncio


async def fn(input, headers):
    await asyncio.sleep(0.5)
    return input
