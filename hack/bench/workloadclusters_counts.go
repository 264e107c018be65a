package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// counts are numbers by two names: by who and what, or by what and how.
type counts map[string]map[string]int

func (c counts) add(first, second string, n int) {
	if c[first] == nil {
		c[first] = map[string]int{}
	}
	c[first][second] += n
}

// minus is what came to c since before.
func (c counts) minus(before counts) counts {
	out := counts{}
	for first, row := range c {
		for second, n := range row {
			if more := n - before[first][second]; more != 0 {
				out.add(first, second, more)
			}
		}
	}
	return out
}

func (c counts) sum(first string) int {
	total := 0
	for _, n := range c[first] {
		total += n
	}
	return total
}

// Who writes to the management API server.
const (
	byOperator = "operator"
	// readByOperator is what the operator reads; the others' reads are not in the audit log.
	readByOperator = "operator, read"
	byClusterAPI   = "Cluster API"
	byCAPZ         = "CAPZ"
	byBench        = "benchmark"
	byOthers       = "others"
)

// operatorUser is who the operator is in the audit log.
const operatorUser = "system:serviceaccount:fleetwright-system:fleetwright"

// audited is what is needed of a line of an audit log.
type audited struct {
	Verb      string `json:"verb"`
	UserAgent string `json:"userAgent"`
	User      struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

func (a audited) who() string {
	switch {
	case a.User.Username == operatorUser && slices.Contains([]string{"get", "list", "watch"}, a.Verb):
		return readByOperator
	case a.User.Username == operatorUser:
		return byOperator
	case strings.HasPrefix(a.UserAgent, "fleetwright-localstack/cluster-api"):
		return byClusterAPI
	case strings.HasPrefix(a.UserAgent, "fleetwright-localstack/capz"):
		return byCAPZ
	case strings.HasPrefix(a.UserAgent, fieldOwner):
		return byBench
	default:
		return byOthers
	}
}

// what is such as "patch nodepools/status", with the answer where it was a refusal.
func (a audited) what() string {
	text := a.Verb + " " + a.ObjectRef.Resource
	if a.ObjectRef.Subresource != "" {
		text += "/" + a.ObjectRef.Subresource
	}
	if a.ResponseStatus.Code >= http.StatusBadRequest {
		text += " " + strconv.Itoa(a.ResponseStatus.Code)
	}
	return text
}

// audited counts the requests in the management API server's audit log from that place on, by who and what.
func (s *stackProcess) audited(from int64) (counts, error) {
	f, err := os.Open(s.audit())
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return countAudited(bufio.NewReader(f))
}

func countAudited(lines *bufio.Reader) (counts, error) {
	out := counts{}
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil // what is left is a line that is being written
		}
		if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		var a audited
		if err := json.Unmarshal(line, &a); err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		out.add(a.who(), a.what(), 1)
	}
}

func (s *stackProcess) audit() string { return filepath.Join(s.dir, "logs", "audit-management.jsonl") }

func (s *stackProcess) auditSize() (int64, error) {
	info, err := os.Stat(s.audit())
	if err != nil {
		return 0, fmt.Errorf("read the audit log: %w", err)
	}
	return info.Size(), nil
}

// Names of the operator's counters.
const (
	toManagement = "management"
	toWorkload   = "workload"
	reconciles   = "reconciles"
)

var (
	requestsByMethod = regexp.MustCompile(`^rest_client_requests_total\{.*host="([^"]*)".*method="([^"]*)".*\} ([0-9.e+]+)$`)
	reconcilesOf     = regexp.MustCompile(`^controller_runtime_reconcile_total\{controller="([^"]*)".*result="([^"]*)".*\} ([0-9.e+]+)$`)
)

// operatorCounts are the operator's requests by API server and method, and its reconciles by controller and result.
func (s *stackProcess) operatorCounts(ctx context.Context) (counts, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.record.OperatorMetrics+"/metrics", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask the operator for its metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the operator for its metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	management, err := url.Parse(s.record.Management)
	if err != nil {
		return nil, fmt.Errorf("read the management API server's address: %w", err)
	}
	return countMetrics(bufio.NewScanner(response.Body), management.Host)
}

func countMetrics(lines *bufio.Scanner, management string) (counts, error) {
	out := counts{}
	for lines.Scan() {
		if m := requestsByMethod.FindStringSubmatch(lines.Text()); m != nil {
			to := toWorkload
			if m[1] == management {
				to = toManagement
			}
			out.add(to, m[2], whole(m[3]))
		}
		if m := reconcilesOf.FindStringSubmatch(lines.Text()); m != nil {
			out.add(reconciles, m[1]+" "+m[2], whole(m[3]))
		}
	}
	return out, lines.Err()
}

// whole is the number of a counter, 0 for what is none.
func whole(text string) int {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return int(n)
}
