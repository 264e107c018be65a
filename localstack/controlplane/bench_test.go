package controlplane_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/fleetwright/fleetwright/localstack/controlplane"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// BenchmarkWorkloadClusters measures what clusters cost this process: one more cluster's start, and then memory and CPU time of all of
// them when idle. Run one size per process, since memory of an earlier one does not come back wholly:
//
//	go test ./controlplane -run xxx -bench 'WorkloadClusters/10$' -benchtime 1x
func BenchmarkWorkloadClusters(b *testing.B) {
	for _, n := range []int{1, 4, 10} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for range b.N {
				measureClusters(b, n)
			}
		})
	}
}

const (
	settle = 10 * time.Second
	idle   = 30 * time.Second
)

func measureClusters(b *testing.B, n int) {
	b.Helper()
	e := startEtcd(b, b.TempDir())
	began, cpu := time.Now(), cpuTime(b)
	for i := range n {
		startWorkload(b, e, fmt.Sprintf("c%d", i))
	}
	perCluster := float64(n)
	b.ReportMetric(time.Since(began).Seconds()/perCluster, "start-s/cluster")
	b.ReportMetric((cpuTime(b)-cpu).Seconds()/perCluster, "start-cpu-s/cluster")

	<-time.After(settle)
	debug.FreeOSMemory()
	cpu = cpuTime(b)
	<-time.After(idle)
	b.ReportMetric(1000*(cpuTime(b)-cpu).Seconds()/idle.Seconds(), "idle-mcores")
	b.ReportMetric(residentMiB(b), "RSS-MiB")
	b.ReportMetric(0, "ns/op")
}

func startWorkload(b *testing.B, e *controlplane.Etcd, name string) {
	b.Helper()
	s, _ := startServer(b, controlplane.Options{Name: name, Etcd: e})
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	for what, start := range map[string]func() error{
		"controllers": func() error { return controlplane.StartControllers(ctx, s.Config()) },
		"scheduler":   func() error { return controlplane.StartScheduler(ctx, s.Config()) },
		"kubelet":     func() error { return kubelet.Start(ctx, s.Config(), kubelet.DefaultSettings()) },
	} {
		if err := start(); err != nil {
			b.Fatalf("start %s: %v", what, err)
		}
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// residentMiB is 0 where there is no /proc.
func residentMiB(b *testing.B) float64 {
	b.Helper()
	statm, err := os.ReadFile(filepath.Join("/proc", "self", "statm"))
	if err != nil {
		return 0
	}
	pages, err := strconv.Atoi(string(bytes.Fields(statm)[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}
