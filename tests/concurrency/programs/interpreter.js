// Runs the program in params: see model.py, which says what must come of it.
import async from "async"
import channel from "channel"

const channels = params.channels.map((capacity) => channel.new(capacity))
const tasks = []
const BIG = 1000003

const fail = (code) => {
  throw Object.assign(new Error("the program says so"), { code })
}
const settle = async (wait) => {
  try {
    return await wait()
  } catch (error) {
    return error.code
  }
}

const steps = {
  send: async (state, at, more) => {
    await channels[at].send((state.sum + more) % BIG)
  },
  receive: async (state, at) => {
    const { value, ok } = await channels[at].receive()
    if (ok) state.sum = (state.sum * 3 + value) % BIG
    state.log.push(ok ? value : "closed")
  },
  close: async (state, at) => {
    await channels[at].close()
  },
  yield: async () => {
    await async.yield()
  },
  await: async (state, at) => {
    state.log.push(await settle(async () => (await tasks[at]).sum))
  },
  child: async (state, value, fails) => {
    const task = async.spawn(async () => {
      await async.yield()
      if (fails) fail("child")
      return value
    })
    state.log.push(await settle(() => task))
  },
  scope: async (state, count, fails) => {
    const work = async (scope) => {
      let sum = 0
      for (let n = 1; n <= count; n++) {
        scope.spawn(async () => {
          for (let i = 0; i < n; i++) await async.yield()
          if (fails && n === count) fail("scope")
          sum += n
        })
      }
      if (fails) await channel.new().receive()
      while (sum < (count * (count + 1)) / 2) await async.yield()
      return sum
    }
    state.log.push(await settle(() => async.scope(work)))
  },
  race: async (state, value) => {
    const late = () => channel.new().receive()
    const soon = async () => {
      await async.yield()
      return value
    }
    state.log.push(await async.race([late, soon]))
  },
  map: async (state, count, concurrency) => {
    const list = Array.from({ length: count }, (_, at) => at + 1)
    const square = async (n) => {
      await async.yield()
      return n * n
    }
    state.log.push((await async.map(list, square, { concurrency })).reduce((a, b) => a + b, 0))
  },
  buffer: async (state, capacity, count) => {
    const own = channel.new(capacity)
    let taken = 0
    for (let n = 1; n <= count; n++) if (own.trySend(n)) taken++
    state.log.push(taken, own.tryReceive().ok)
    state.log.push((await channel.select([{ receive: own }], { default: true })).kind)
  },
  scatter: async (state, count, ways, capacity) => {
    const lanes = Array.from({ length: ways }, () => channel.new(capacity))
    const readers = lanes.map((lane) =>
      async.spawn(async () => {
        let sum = 0
        for await (const value of lane) sum += value
        return sum
      }),
    )
    for (let n = 1; n <= count; n++) await channel.select(lanes.map((lane) => ({ send: lane, value: n })))
    for (const lane of lanes) lane.close()
    state.log.push((await async.all(readers)).reduce((a, b) => a + b, 0))
  },
  merge: async (state, list) => {
    const got = list.map((number) => ({ number, log: [] }))
    const open = [...got]
    while (open.length > 0) {
      const { ok, index, value } = await channel.select(open.map(({ number }) => ({ receive: channels[number] })))
      if (ok) open[index].log.push(value)
      else open.splice(index, 1)
    }
    for (const { log } of got) state.log.push(...log, "end")
  },
  fail: async (state, code) => fail(code),
}

const work = async (program, seed) => {
  const state = { sum: seed, log: [] }
  for (const [name, ...rest] of program) await steps[name](state, ...rest)
  return state
}

const blocked = {
  receive: async () => await channel.new().receive(),
  send: async () => await channel.new().send(1),
  select: async () => await channel.select([{ receive: channel.new() }, { send: channel.new(), value: 1 }]),
  sleep: async () => await async.sleep(1000),
  all: async () => await async.all([() => async.sleep(1000), () => channel.new().receive()]),
  scope: async () => await async.scope((scope) => void scope.spawn(() => async.sleep(1000))),
  timeout: async () => await async.timeout(1000, () => channel.new().receive()),
}

const victims = params.victims.map((kind) => async.spawn(blocked[kind]))
params.tasks.forEach((program, at) => tasks.push(async.spawn(work, program, at + 1)))
for (let i = 0; i < params.yields; i++) await async.yield()
for (const victim of victims) victim.cancel("enough")

const out = { tasks: [], victims: [] }
for (const victim of victims) out.victims.push(await settle(() => victim))
// Every failure is looked at, so that none fails the run; a deadlock is not a failure of a task.
for (const settled of await async.allSettled(tasks)) {
  if (settled.status === "fulfilled") out.tasks.push({ sum: settled.value.sum, log: settled.value.log })
  else out.tasks.push({ failed: settled.error.code })
}
return out
