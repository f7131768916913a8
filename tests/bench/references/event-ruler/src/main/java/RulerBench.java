import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;
import software.amazon.event.ruler.Machine;

/**
 * event-ruler on the files of the matcher's benchmark, measured as our own matcher is: a count pass,
 * a warm-up until two windows agree, three windows, the median.
 *
 *   RulerBench POLICIES EVENTS SECONDS
 */
public final class RulerBench {
    private static long sink;

    private static long mix(long z) {
        z += 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private static void countPass(Machine machine, List<String> events) throws Exception {
        long matches = 0;
        long hash = 0;
        for (int e = 0; e < events.size(); e++) {
            long event = mix(e);
            for (String rule : machine.rulesForJSONEvent(events.get(e))) {
                hash += mix(event ^ Long.parseLong(rule));
                matches++;
            }
        }
        System.out.printf("events %d matches %d hash %016x%n", events.size(), matches, hash);
    }

    private static int at;
    private static double cpuNs; // of the last window, an event; without the collector's thread

    private static double window(Machine machine, List<String> events, double seconds)
            throws Exception {
        long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        long start = System.nanoTime();
        long end = start + (long) (seconds * 1e9);
        long now;
        long done = 0;
        do {
            for (int i = 0; i < 16; i++) {
                for (String rule : machine.rulesForJSONEvent(events.get(at))) {
                    sink += rule.length();
                }
                at = at + 1 == events.size() ? 0 : at + 1;
            }
            done += 16;
            now = System.nanoTime();
        } while (now < end);
        cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpu;
        cpuNs = (double) cpu / done;
        return (double) (now - start) / done;
    }

    public static void main(String[] args) throws Exception {
        List<String> policies = Files.readAllLines(Paths.get(args[0]), StandardCharsets.UTF_8);
        List<String> events = Files.readAllLines(Paths.get(args[1]), StandardCharsets.UTF_8);
        double seconds = Double.parseDouble(args[2]);
        Machine machine = new Machine();
        for (int i = 0; i < policies.size(); i++) {
            machine.addRule(Integer.toString(i), policies.get(i));
        }
        countPass(machine, events);
        double last = window(machine, events, seconds);
        for (int i = 0; i < 10; i++) {
            double next = window(machine, events, seconds);
            boolean agree = Math.abs(next - last) < 0.03 * last;
            last = next;
            if (agree) {
                break;
            }
        }
        double[] ns = new double[3];
        double[] cpu = new double[3];
        for (int i = 0; i < ns.length; i++) {
            ns[i] = window(machine, events, seconds);
            cpu[i] = cpuNs;
        }
        Arrays.sort(ns);
        Arrays.sort(cpu);
        System.out.printf("ns_per_event=%.1f min=%.1f max=%.1f cpu_ns_per_event=%.1f sink=%d%n",
                ns[1], ns[0], ns[2], cpu[1], sink);
    }
}
