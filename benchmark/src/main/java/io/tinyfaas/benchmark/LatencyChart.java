package io.tinyfaas.benchmark;

import java.time.Duration;
import java.util.List;
import org.HdrHistogram.HistogramIterationValue;

/**
 * The share of all operations that had succeeded within a latency, in the manner of the paper's
 * Figures 3 and 4: a curve that does not reach 100 % shows how many failed. Latencies are on a
 * logarithmic scale, for targets differ by orders of magnitude.
 */
final class LatencyChart {

  private static final int WIDTH = 640;
  private static final int LEFT = 60;
  private static final int RIGHT = 20;
  private static final int TITLE = 34;
  private static final int LEGEND_LINE = 18;
  private static final int PLOT = 310;
  private static final int BOTTOM = 50;

  /** The left end of the scale, in milliseconds. */
  private static final double LEAST = 0.05;

  /** Okabe and Ito's colours, which colour-blind readers can tell apart. */
  private static final List<String> COLOURS =
      List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000");

  private final double most;
  private final int top;
  private final int height;
  private final StringBuilder svg = new StringBuilder();

  private LatencyChart(double most, int curves) {
    this.most = most;
    this.top = TITLE + LEGEND_LINE * curves;
    this.height = top + PLOT + BOTTOM;
  }

  static String svg(int clients, List<Run> runs, Duration timeout) {
    LatencyChart chart = new LatencyChart(timeout.toMillis(), runs.size());
    chart.frame(clients + (clients == 1 ? " client" : " clients"));
    for (int i = 0; i < runs.size(); i++) {
      chart.curve(runs.get(i), COLOURS.get(i % COLOURS.size()), i);
    }
    return chart.svg.append("</svg>\n").toString();
  }

  private void frame(String title) {
    svg.append(
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
        <rect width="%d" height="%d" fill="#fff"/>
        <text x="%d" y="24" font-size="15">%s</text>
        <text x="%d" y="%d" text-anchor="middle">latency in ms</text>
        <text transform="translate(16 %d) rotate(-90)" text-anchor="middle">operations that succeeded</text>
        """
            .formatted(
                WIDTH,
                height,
                WIDTH,
                height,
                LEFT,
                title,
                (LEFT + WIDTH - RIGHT) / 2,
                height - 10,
                (top + height - BOTTOM) / 2));
    for (int percent = 0; percent <= 100; percent += 20) {
      line(LEFT, y(percent / 100.0), WIDTH - RIGHT, y(percent / 100.0));
      text(LEFT - 8, y(percent / 100.0) + 4, "end", percent + " %");
    }
    for (double decade = 0.1; decade <= most; decade *= 10) {
      line(x(decade), top, x(decade), height - BOTTOM);
      text(
          x(decade), height - BOTTOM + 18, "middle", decade < 1 ? "0.1" : "%.0f".formatted(decade));
    }
  }

  private void curve(Run run, String colour, int index) {
    Outcome outcome = run.outcome();
    StringBuilder path = new StringBuilder("M%.1f %.1f".formatted(x(LEAST), y(0)));
    double lastY = y(0);
    long within = 0;
    for (HistogramIterationValue value : outcome.latencies().recordedValues()) {
      within += value.getCountAddedInThisIterationStep();
      double y = y((double) within / outcome.operations());
      // Steps of less than half a pixel are not seen.
      if (lastY - y >= 0.5 || within == outcome.succeeded()) {
        path.append("H%.1fV%.1f".formatted(x(value.getValueIteratedTo() / 1e6), y));
        lastY = y;
      }
    }
    path.append("H%d".formatted(WIDTH - RIGHT));
    svg.append(
        "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>%n"
            .formatted(path, colour));
    int legend = TITLE + 6 + LEGEND_LINE * index;
    svg.append(
        "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"3\" fill=\"%s\"/>%n"
            .formatted(LEFT, legend - 5, colour));
    text(
        LEFT + 20,
        legend,
        "start",
        "%s, %.2f %% succeeded"
            .formatted(escape(run.target()), 100.0 * outcome.succeeded() / outcome.operations()));
  }

  private double x(double millis) {
    double share = Math.log(millis / LEAST) / Math.log(most / LEAST);
    return LEFT + Math.clamp(share, 0, 1) * (WIDTH - RIGHT - LEFT);
  }

  private double y(double share) {
    return height - BOTTOM - share * (height - BOTTOM - top);
  }

  private void line(double x1, double y1, double x2, double y2) {
    svg.append("<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#ddd\"/>%n".formatted(x1, y1, x2, y2));
  }

  private void text(double x, double y, String anchor, String text) {
    svg.append(
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n".formatted(x, y, anchor, text));
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;");
  }
}
