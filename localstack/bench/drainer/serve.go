package drainer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// readyLine is what a process says when it waits for its job.
const readyLine = "ready"

// errTimeIsUp is the cause of a context that ended at the job's limit.
var errTimeIsUp = errors.New("time is up")

// env is what a drainer works with.
type env struct {
	ctx    context.Context
	job    Job
	config *rest.Config
}

// client makes a client with a rate limit of its own; a negative one is none.
func (e *env) client(qps float32, burst int) (kubernetes.Interface, error) {
	return kubernetes.NewForConfig(e.limited(qps, burst))
}

func (e *env) limited(qps float32, burst int) *rest.Config {
	config := rest.CopyConfig(e.config)
	config.QPS, config.Burst = qps, burst
	return config
}

// garbagePercent is that of the operator.
const garbagePercent = 50

// Serve is the whole life of a drainer's process.
func Serve(ctx context.Context, kubeconfig string, in io.Reader, out io.Writer) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	debug.SetGCPercent(garbagePercent)
	runtime.GC()
	report := Report{IdleRSS: status("VmRSS"), IdleHeap: liveHeap()}
	if _, err := fmt.Fprintln(out, readyLine); err != nil {
		return err
	}
	var job Job
	if err := json.NewDecoder(bufio.NewReader(in)).Decode(&job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	do, ok := drainers()[job.Drainer]
	if !ok {
		return fmt.Errorf("there is no drainer %q, only %s", job.Drainer, strings.Join(Names(), ", "))
	}
	if job.LimitSeconds > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, time.Duration(job.LimitSeconds*float64(time.Second)), errTimeIsUp)
		defer cancel()
		ctx = limited
	}
	calls := newCounter()
	config.UserAgent = "bench-drainer/" + job.Drainer
	config.Wrap(calls.wrap)
	if err := measured(&env{ctx: ctx, job: job, config: config}, do, &report); err != nil {
		report.Error, report.TimeIsUp = err.Error(), errors.Is(context.Cause(ctx), errTimeIsUp)
	}
	calls.mu.Lock()
	defer calls.mu.Unlock()
	report.Calls, report.Evictions, report.Latencies, report.Granted = calls.calls, calls.evictions, calls.latencies, calls.granted
	return json.NewEncoder(out).Encode(report)
}

// measured runs the drainer and notes what it used.
func measured(e *env, do drainFunc, report *Report) (err error) {
	if e.job.CPUProfile != "" {
		f, err := os.Create(e.job.CPUProfile)
		if err != nil {
			return fmt.Errorf("write CPU profile: %w", err)
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("write CPU profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	var peak atomic.Uint64
	sampled, stop := context.WithCancel(e.ctx)
	defer stop()
	go sampleHeap(sampled, &peak)
	before := processorTime()
	err = do(e)
	report.CPUSeconds = (processorTime() - before).Seconds()
	report.PeakRSS, report.PeakHeap = status("VmHWM"), max(float64(peak.Load())/mebibyte, liveHeap())
	return errors.Join(err, writeAllocations(e.job.AllocProfile))
}

func writeAllocations(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write allocation profile: %w", err)
	}
	defer func() { _ = f.Close() }()
	return pprof.Lookup("allocs").WriteTo(f, 0)
}

const (
	mebibyte    = 1 << 20
	heapEvery   = 100 * time.Millisecond
	heapObjects = "/memory/classes/heap/objects:bytes"
)

// sampleHeap keeps the greatest number of bytes in Go objects, dead ones included until they are collected.
func sampleHeap(ctx context.Context, peak *atomic.Uint64) {
	ticks := time.NewTicker(heapEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			peak.Store(max(peak.Load(), heapBytes()))
		}
	}
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: heapObjects}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func liveHeap() float64 { return float64(heapBytes()) / mebibyte }

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// status reads one value of /proc/self/status in MiB; 0 where there is no /proc. It is used rather than getrusage's, which on Linux
// begins with what the parent held.
func status(key string) float64 {
	content, err := os.ReadFile(filepath.Join("/proc", "self", "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		name, rest, _ := strings.Cut(line, ":")
		if fields := strings.Fields(rest); name == key && len(fields) == 2 {
			kibibytes, _ := strconv.ParseFloat(fields[0], 64)
			return kibibytes / 1024
		}
	}
	return 0
}
