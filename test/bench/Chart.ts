/** The charts, drawn by echarts without a browser. */
import * as echarts from "echarts"
import type { Figure, ServerName } from "./Job.ts"
import type { LoadName } from "./Plan.ts"
import type { Row } from "./Results.ts"

// Nodes have a load of their own, which is not drawn.
const colours: Partial<Record<ServerName, string>> = {
  tellnet: "#2563eb",
  file: "#b5651d",
  baseline: "#93c5fd",
  batched: "#64748b",
  plain: "#cbd5e1",
  nats: "#16a34a"
}

interface Panel {
  readonly load: LoadName
  readonly figure: Figure
  readonly title: string
}

const panels: ReadonlyArray<Panel> = [
  { load: "paced", figure: "cpuPerLine", title: "paced\nCPU µs/line" },
  { load: "single", figure: "cpuPerLine", title: "single\nCPU µs/line" },
  { load: "single", figure: "p50", title: "single\np50 ms" },
  { load: "burst", figure: "cpuPerLine", title: "burst\nCPU µs/line" },
  { load: "arrivals", figure: "seconds", title: "arrivals\nseconds to settle" },
  { load: "idle", figure: "rssPerUser", title: "idle\nKB RSS/user" }
]

const render = (width: number, height: number, option: echarts.EChartsCoreOption): string => {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height })
  chart.setOption({ animation: false, backgroundColor: "#fff", ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

const short = (value: number): string => String(Number(value.toPrecision(2)))

/** A panel for each load, each with its own scale: between `paced` and `burst` lies a factor of twenty. */
export const speedChart = (rows: ReadonlyArray<Row>): string => {
  const drawn = panels.filter(({ load }) => rows.some(({ row }) => row === load))
  const shown = rows.filter(({ row }) => drawn.some(({ load }) => load === row))
  const servers = [...new Set(shown.map(({ server }) => server))]
  const width = 190
  const left = (index: number) => 20 + index * width
  return render(width * Math.max(1, drawn.length) + 40, 300, {
    title: drawn.map(({ title }, index) => ({
      text: title,
      left: left(index) + width / 2 - 10,
      textAlign: "center",
      textStyle: { fontSize: 13 }
    })),
    grid: drawn.map((_, index) => ({ left: left(index), top: 70, width: width - 30, height: 180 })),
    xAxis: drawn.map((_, gridIndex) => ({
      gridIndex,
      type: "category",
      data: servers,
      axisTick: { show: false },
      axisLabel: { interval: 0, fontSize: 10 }
    })),
    yAxis: drawn.map((_, gridIndex) => ({ gridIndex, show: false })),
    series: drawn.map(({ figure, load }, index) => ({
      type: "bar",
      xAxisIndex: index,
      yAxisIndex: index,
      label: {
        show: true,
        position: "top",
        formatter: ({ value }: { value: number | string }) => short(Number(value))
      },
      data: servers.map((name) => ({
        value: rows.find(({ row, server }) => row === load && server === name)?.figures[figure] ?? "-",
        itemStyle: { color: colours[name] }
      }))
    }))
  })
}

const curves: ReadonlyArray<{ readonly figure: Figure; readonly title: string }> = [
  { figure: "cpuPerLine", title: "CPU µs per delivered line" },
  { figure: "joinCpuPerLine", title: "CPU µs per presence line while joining" },
  { figure: "rss", title: "RSS, MB" }
]

/** What a line and a user cost as the crowd grows: a flat line is linear cost. */
export const growthChart = (rows: ReadonlyArray<Row>): string => {
  const sizes = rows.filter(({ row }) => row === "growth")
  const width = 320
  const left = (index: number) => 50 + index * width
  return render(width * curves.length + 40, 320, {
    title: curves.map(({ title }, index) => ({ text: title, left: left(index), textStyle: { fontSize: 13 } })),
    grid: curves.map((_, index) => ({ left: left(index), top: 50, width: width - 70, height: 200 })),
    xAxis: curves.map((_, gridIndex) => ({
      gridIndex,
      type: "category",
      data: sizes.map(({ users }) => String(users)),
      name: "users",
      nameLocation: "middle",
      nameGap: 28
    })),
    yAxis: curves.map((_, gridIndex) => ({ gridIndex, type: "value", min: 0 })),
    series: curves.map(({ figure }, index) => ({
      type: "line",
      xAxisIndex: index,
      yAxisIndex: index,
      symbolSize: 8,
      color: colours.tellnet,
      label: {
        show: true,
        position: "top",
        formatter: ({ value }: { value: number | string }) => short(Number(value))
      },
      data: sizes.map(({ figures }) => figures[figure] ?? "-")
    }))
  })
}
