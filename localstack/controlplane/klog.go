package controlplane

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"

	"k8s.io/klog/v2"
)

// LogTo sends Kubernetes' own log (klog, shared by the whole process) to w instead of the terminal.
// Call it before the first server starts.
func LogTo(w io.Writer) error {
	set := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(set)
	for name, value := range map[string]string{
		"logtostderr": "false", "alsologtostderr": "false", "stderrthreshold": "FATAL",
		"one_output": "true", // without it klog writes an error three times, once per lower severity
	} {
		if err := set.Set(name, value); err != nil {
			return fmt.Errorf("set klog's flag %s: %w", name, err)
		}
	}
	klog.SetOutput(w)
	return nil
}

// LogToFile is LogTo with a file, appended to and readable by this user only. Close it when every server has stopped.
func LogToFile(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log file: %w", err)
	}
	if err := LogTo(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// ContainFatal makes klog.Fatal, called by Kubernetes when a server's start-up hook gives up, end only the goroutine that called it
// instead of the process. report is told; the reason is in klog's log. Call it before the first server starts.
func ContainFatal(report func(message string)) {
	klog.OsExit = func(code int) {
		report(fmt.Sprintf("A part of a control plane gave up (exit code %d), the process goes on without it: see the log", code))
		runtime.Goexit()
	}
}
