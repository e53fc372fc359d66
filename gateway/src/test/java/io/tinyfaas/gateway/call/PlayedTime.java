package io.tinyfaas.gateway.call;

import java.util.Comparator;
import java.util.PriorityQueue;

/** A clock that the test turns, and what is to be done then, in the order in which it was asked. */
final class PlayedTime implements CallQueue.Later {

  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong(Task::at).thenComparingLong(Task::number));
  private long now = 1_800_000_000_000L;
  private long number;

  private record Task(long at, long number, Runnable task) {}

  @Override
  public Runnable in(long millis, Runnable task) {
    Task added = new Task(now + millis, number++, task);
    tasks.add(added);
    return () -> tasks.remove(added);
  }

  long now() {
    return now;
  }

  /** What is due by then is done. */
  void pass(long millis) {
    long end = now + millis;
    while (!tasks.isEmpty() && tasks.peek().at() <= end) {
      Task next = tasks.remove();
      now = Math.max(now, next.at());
      next.task().run();
    }
    now = end;
  }

  /** The clock is set; what is to be done stays as far away as it was. */
  void set(long by) {
    now += by;
    Task[] all = tasks.toArray(Task[]::new);
    tasks.clear();
    for (Task task : all) {
      tasks.add(new Task(task.at() + by, task.number(), task.task()));
    }
  }

  int tasks() {
    return tasks.size();
  }
}
