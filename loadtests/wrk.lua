-- Posts the bodies of a file (one a line) in a random order of its own for each thread, and
-- prints what was measured as one line of JSON. Arguments: the file of the bodies.

local requests, seed = {}, 0

function setup(thread)
  seed = seed + 1
  thread:set("seed", seed)
end

function init(arguments)
  for body in io.lines(arguments[1]) do
    local path, content = body:match("^(/%S*)\t(.*)$")
    local headers = {["Content-Type"] = "application/json"}
    table.insert(requests, wrk.format("POST", path or wrk.path, headers, content or body))
  end
  math.randomseed(seed)
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency, rate)
  local errors = summary.errors
  io.write(string.format(
    'JSON {"requests":%d,"seconds":%f,"p50_ms":%f,"p90_ms":%f,"p99_ms":%f,"max_ms":%f,' ..
    '"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
