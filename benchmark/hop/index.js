// How long a function takes to be answered by another: asked by this function, by its socket, and by this file as a program on the host, by HTTP.
//   node index.js HOST:PORT OPERATIONS CLIENTS PATH
const http = require('node:http')

// ask OPTIONS OPERATIONS CLIENTS: microseconds of each, in order.
async function ask (options, operations, clients) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients })
  const took = []
  const one = () => new Promise((resolve, reject) => {
    const begin = process.hrtime.bigint()
    http.request({ ...options, agent, method: 'POST' }, answer => {
      answer.on('data', () => {})
      answer.on('end', () => {
        if (answer.statusCode !== 200) return reject(new Error(`status ${answer.statusCode}`))
        took.push(Number(process.hrtime.bigint() - begin) / 1000)
        resolve()
      })
    }).on('error', reject).end('x'.repeat(100))
  })
  const client = async () => { for (let i = 0; i < operations / clients; i++) await one() }
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return took.sort((a, b) => a - b)
}

const tell = took => [0.5, 0.9, 0.99].map(part => Math.round(took[Math.floor(part * took.length)])).join(',')

module.exports = async (req, res) => {
  const { operations, clients } = JSON.parse(req.body)
  const took = await ask({ socketPath: process.env.TINYFAAS_CALLS_SOCKET, path: '/functions/echo' }, operations, clients)
  res.send(tell(took))
}

if (require.main === module) {
  const [place, operations, clients, path] = process.argv.slice(2)
  const [host, port] = place.split(':')
  ask({ host, port, path }, Number(operations), Number(clients)).then(took => console.log(tell(took)))
}
