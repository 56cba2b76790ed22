// Draws a trial's charts as SVG, without a browser. A chart is plain data:
//   { file, kind: 'bars', title, value: 'samples/s', bars: [[name, number], …] }
//   { file, kind: 'lines', title, x: { name, log? }, y: { name, log? }, series: [[name, [[x, y], …]], …] }
import { createRequire } from 'node:module';

const { BarChart, LineChart } = createRequire(import.meta.url)('echarts/charts');
const { GridComponent, LegendComponent, TitleComponent } = createRequire(import.meta.url)('echarts/components');
const { SVGRenderer } = createRequire(import.meta.url)('echarts/renderers');
const echarts = createRequire(import.meta.url)('echarts/core');

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

// Transparent, in colours of a middle tone: they show on white and on black alike.
const ink = '#7d8590';
const colours = ['#3b82f6', '#e8710a', '#16a374', '#c84bd8', '#d94a4a', '#a08a00', '#0f9fb5'];
const width = 760;
const text = { color: ink, fontFamily: 'sans-serif', fontSize: 13 };
const lines = { lineStyle: { color: ink, opacity: 0.25 } };
const axis = {
  nameLocation: 'middle',
  nameTextStyle: text,
  axisLabel: text,
  axisLine: { show: true, lineStyle: { color: ink } },
  splitLine: lines,
};

const number = (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e4 ? `${value / 1e3} k` : String(value));

function heading({ title }, command) {
  return {
    text: title,
    subtext: command,
    textStyle: { ...text, fontSize: 15, fontWeight: 'bold' },
    subtextStyle: { ...text, fontFamily: 'monospace', fontSize: 12 },
  };
}

function bars(chart, command) {
  // The first bar on top.
  const rows = [...chart.bars].reverse();
  return {
    height: 110 + rows.length * 32,
    title: heading(chart, command),
    grid: { left: 230, right: 80, top: 55, bottom: 45 },
    xAxis: { ...axis, type: 'value', name: chart.value, nameGap: 26, axisLabel: { ...text, formatter: number } },
    yAxis: { ...axis, type: 'category', data: rows.map(([name]) => name), splitLine: { show: false } },
    series: [
      {
        type: 'bar',
        data: rows.map(([name, value]) => ({
          value,
          itemStyle: { color: colours[/python|reference_script|tuned|eager|DataLoader|PIL/i.test(name) ? 1 : 0] },
        })),
        barWidth: 20,
        label: {
          ...text,
          show: true,
          position: 'right',
          formatter: ({ value }) => Number(value.toPrecision(3)).toLocaleString('en'),
        },
      },
    ],
  };
}

function valueAxis({ name, log }, gap) {
  const scale = log ? { type: 'log', logBase: log === true ? 10 : log } : { type: 'value' };
  return { ...axis, ...scale, name, nameGap: gap, axisLabel: { ...text, formatter: number } };
}

function curves(chart, command) {
  return {
    height: 430,
    title: heading(chart, command),
    legend: { top: 62, left: 0, textStyle: text, itemWidth: 18, itemGap: 26 },
    grid: { left: 75, right: 30, top: 135, bottom: 50 },
    xAxis: valueAxis(chart.x, 30),
    yAxis: valueAxis(chart.y, 55),
    series: chart.series.map(([name, points]) => ({
      ...{ type: 'line', name, data: points, symbolSize: points.length > 40 ? 0 : 6 },
      lineStyle: { width: 2 },
    })),
  };
}

/** The chart as the text of an SVG file. `command` says what draws it anew. */
export function drawn(chart, command) {
  const { height, ...option } = { bars, lines: curves }[chart.kind](chart, command);
  const canvas = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  canvas.setOption({ animation: false, color: colours, backgroundColor: 'transparent', ...option });
  const svg = canvas.renderToSVGString();
  canvas.dispose();
  return svg;
}
