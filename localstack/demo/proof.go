package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/fleetwright/fleetwright/localstack/stack"
)

// witnesses watch the workload from the moment it runs.
type witnesses struct {
	since   time.Time
	budgets *budgetWatch
	traffic *traffic
	stop    context.CancelFunc
	// auditFrom are the lengths of the audit logs when it began.
	managementFrom, workloadFrom int64
	callsBefore                  map[string]int
}

// startWitnesses binds them to the story, not to its running step.
func (s *story) startWitnesses(ctx context.Context) (*witnesses, error) {
	layout := s.stack.Layout()
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	w := &witnesses{
		since: time.Now(), stop: stop,
		managementFrom: auditSize(layout.ManagementAudit()), workloadFrom: auditSize(layout.ClusterAudit(clusterName)),
	}
	var err error
	if w.callsBefore, err = s.operatorCalls(ctx); err != nil {
		stop()
		return nil, err
	}
	if w.budgets, err = watchBudgets(life, s.workload); err == nil {
		w.traffic, err = startTraffic(life, s.workload, w.budgets, []target{{"shop", "web", 6}, {"shop", "orders", 3}})
	}
	if err != nil {
		stop()
		return nil, err
	}
	return w, nil
}

func (w *witnesses) end() {
	if w != nil {
		w.stop()
	}
}

func (w *witnesses) tell(t *teller) {
	if w != nil {
		t.tell(TrafficSeen{At: time.Now(), Services: w.traffic.result()})
	}
}

// prove reads what was recorded and fails if it speaks against the promise.
func (s *story) prove(ctx context.Context) error {
	w := s.witnesses
	proof := Proof{Management: map[string]int{}, Workload: map[string]int{}, Calls: map[string]int{}, Azure: map[string]int{}, Violations: []Violation{}}
	for _, service := range w.traffic.result() {
		proof.Services = append(proof.Services, service.report())
	}
	var gap error
	proof.BudgetRevisions, proof.Violations, gap = w.budgets.result()
	if gap != nil {
		proof.Gap = gap.Error()
	}
	layout := s.stack.Layout()
	if err := readAudit(layout.ClusterAudit(clusterName), w.workloadFrom, proof.takeWorkload); err != nil {
		return err
	}
	err := readAudit(layout.ManagementAudit(), w.managementFrom, func(e AuditEntry) {
		if e.User.Username == stack.OperatorUser {
			proof.Management[e.what()]++
		}
	})
	if err != nil {
		return err
	}
	after, err := s.operatorCalls(ctx)
	if err != nil {
		return err
	}
	for method, n := range after {
		if n -= w.callsBefore[method]; n > 0 {
			proof.Calls[method] = n
		}
	}
	for _, request := range s.stack.Azure().Requests() {
		if !request.Time.Before(w.since) {
			proof.Azure[request.Method]++
		}
	}
	if proof.Images, err = s.proveRegistry(ctx); err != nil {
		return err
	}
	s.report.Proof = proof
	if problems := proof.problems(); len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	return nil
}

func (s Service) report() ReportService {
	return ReportService{Name: s.Name, Wanted: s.Wanted, Budget: s.Budget, Least: s.Least, Requests: s.Requests, Failed: s.Failed}
}

// takeWorkload counts one line of the workload cluster's audit log.
func (p *Proof) takeWorkload(e AuditEntry) {
	if e.Object.Resource == "pods" && e.Object.Subresource == "eviction" {
		switch {
		case e.Status.Code >= 200 && e.Status.Code < 300:
			p.Evictions++
		case e.Status.Code == http.StatusTooManyRequests:
			p.Refusals++
		default:
			p.OtherEvictions++
		}
	}
	if !e.byOperator() {
		return
	}
	p.Workload[e.what()]++
	if e.Object.Resource == "pods" && e.Object.Subresource == "" && strings.HasPrefix(e.Verb, "delete") {
		p.PodsDeleted++
	}
}

// requestsLine matches client-go's counter of requests in the operator's metrics.
var requestsLine = regexp.MustCompile(`^rest_client_requests_total\{.*method="([A-Z]+)".*\} ([0-9.e+]+)$`)

// operatorCalls are all requests the operator has made to API servers so far, by HTTP method, as it counts them itself: the
// audit logs hold writes only.
func (s *story) operatorCalls(ctx context.Context) (map[string]int, error) {
	address := s.stack.Record().OperatorMetrics
	if address == "" {
		return map[string]int{}, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask the operator for its metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the operator for its metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	calls := map[string]int{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		match := requestsLine.FindStringSubmatch(lines.Text())
		if match == nil {
			continue
		}
		if n, err := strconv.ParseFloat(match[2], 64); err == nil {
			calls[match[1]] += int(n)
		}
	}
	return calls, lines.Err()
}
