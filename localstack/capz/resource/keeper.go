package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// Spec is one resource as it should be.
type Spec struct {
	// ID and APIVersion say which resource, and in which version of its API it is described.
	ID, APIVersion string
	// Desired returns the resource to ask for. existing is nil when there is none yet; some fields depend on what is
	// there, such as the node count of a pool that scales itself. An error means that the resource cannot be described.
	Desired func(existing armclient.Body) (armclient.Body, error)
	// Exact names properties that are compared as a whole, so that removing an entry is a change. Azure adds to others.
	Exact sets.Set[string]
	// Eager asks whenever what is asked for has changed, although it may be so already, as Azure Service Operator does.
	Eager bool
	// Lagging are properties whose values are those of the last look that Azure Service Operator would have taken: after
	// its own request and at its sync, whatever Azure changed since. Both Desired and the caller get the old ones.
	Lagging []string
	// Blocked returns why a change must wait although the resource itself is settled, "" when it need not. Nil: never.
	Blocked func() string
	// Adopt says that an existing resource may be changed. Without it, what already exists is used as it is and left
	// alone, as CAPZ does with networks and resource groups that it did not make.
	Adopt func(existing armclient.Body) bool
}

// Settings are the times a Keeper works with.
type Settings struct {
	// Requeue is the time between two looks at an operation under way. CAPZ has a constant of 20 s.
	Requeue time.Duration
	// Retry is the time until what Azure refused is asked for again. Azure Service Operator backs off from seconds to
	// many minutes. Conflicts and throttling are retried after Requeue, or when Azure says.
	Retry time.Duration
	// Sync is the time after which a resource that nobody asked to change is compared with Azure again, so that edits
	// by hand are undone. Azure Service Operator takes an hour.
	Sync time.Duration
	// Now tells the time; nil: time.Now.
	Now func() time.Time
}

// Keeper keeps resources. It is safe for concurrent use; calls about the same resource follow one another.
type Keeper struct {
	settings Settings

	mu    sync.Mutex
	known map[string]*memory
}

// memory is what a Keeper knows about one resource from before.
type memory struct {
	sync.Mutex

	operation *armclient.Operation
	kind      string // of the operation: PUT or DELETE
	asked     string // fingerprint of what was asked for last
	synced    time.Time
	refused   *refusal
	until     time.Time // no new attempt before, while refused and asked are the same

	seen armclient.Body // the last look, see Spec.Lagging; nil: the next one is
}

// NewKeeper returns a Keeper that knows nothing yet.
func NewKeeper(settings Settings) *Keeper {
	if settings.Now == nil {
		settings.Now = time.Now
	}
	return &Keeper{settings: settings, known: map[string]*memory{}}
}

// Ensure makes the resource what spec says and returns it. While that takes time, and when it fails, the error is an
// Error; any other error means that the resource could not be described.
func (k *Keeper) Ensure(ctx context.Context, azure *armclient.Client, spec Spec) (armclient.Body, error) {
	known := k.of(spec.ID)
	known.Lock()
	defer known.Unlock()
	if err := k.follow(ctx, known, spec.ID); err != nil {
		return nil, err
	}
	existing, err := azure.Get(ctx, spec.ID, spec.APIVersion)
	switch {
	case armclient.IsNotFound(err):
		existing = nil
	case err != nil:
		return nil, k.retry(classify(err))
	case spec.Adopt != nil && !spec.Adopt(existing):
		return existing, nil
	case !existing.Settled():
		return nil, NewInProgress("PUT", spec.ID, k.settings.Requeue)
	}

	if k.settings.Now().Sub(known.synced) >= k.settings.Sync {
		known.seen = nil
	}
	desired, err := spec.Desired(known.lag(existing, spec.Lagging))
	if err != nil {
		return nil, err
	}
	fingerprint, desired, err := normalize(desired)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", spec.ID, err)
	}
	if existing != nil && k.satisfied(known, existing, desired, fingerprint, spec) {
		known.refused = nil
		seen := known.lag(existing, spec.Lagging)
		known.seen = seen
		return seen, nil
	}
	if known.refused != nil && known.asked == fingerprint && k.settings.Now().Before(known.until) {
		return nil, k.retry(*known.refused)
	}
	return k.put(ctx, azure, spec, known, desired, fingerprint)
}

// satisfied says that there is nothing to ask for: it was asked for and done not long ago, or it is so anyway.
func (k *Keeper) satisfied(known *memory, existing, desired armclient.Body, fingerprint string, spec Spec) bool {
	if strings.EqualFold(existing.ProvisioningState(), "failed") || strings.EqualFold(existing.ProvisioningState(), "canceled") {
		return false
	}
	now := k.settings.Now()
	if known.asked == fingerprint && known.refused == nil && now.Sub(known.synced) < k.settings.Sync {
		return true
	}
	changed := known.asked != "" && known.asked != fingerprint
	if spec.Eager && changed || !coversBody(existing, desired, spec.Exact) {
		return false
	}
	known.asked, known.synced = fingerprint, now
	return true
}

func (k *Keeper) put(ctx context.Context, azure *armclient.Client, spec Spec, known *memory, desired armclient.Body, fingerprint string) (armclient.Body, error) {
	if spec.Blocked != nil {
		if why := spec.Blocked(); why != "" {
			return nil, NewTransient(&notReady{message: why}, k.settings.Requeue)
		}
	}
	known.asked, known.synced, known.refused = fingerprint, k.settings.Now(), nil
	operation, err := azure.BeginPut(ctx, spec.ID, spec.APIVersion, desired)
	if err != nil {
		return nil, k.refuse(known, classify(err))
	}
	known.operation, known.kind, known.seen = operation, "PUT", nil
	if err := k.follow(ctx, known, spec.ID); err != nil {
		return nil, err
	}
	existing, err := azure.Get(ctx, spec.ID, spec.APIVersion)
	if err != nil {
		return nil, k.retry(classify(err))
	}
	if !existing.Settled() {
		return nil, NewInProgress("PUT", spec.ID, k.settings.Requeue)
	}
	return existing, nil
}

// lag is the resource as Azure has it, with the old values of what lags.
func (m *memory) lag(existing armclient.Body, lagging []string) armclient.Body {
	if existing == nil || m.seen == nil || len(lagging) == 0 {
		return existing
	}
	today, _ := existing["properties"].(map[string]any)
	seen, _ := m.seen["properties"].(map[string]any)
	properties := maps.Clone(today)
	for _, name := range lagging {
		if value, found := seen[name]; found {
			properties[name] = value
		} else {
			delete(properties, name)
		}
	}
	out := maps.Clone(existing)
	out["properties"] = properties
	return out
}

// Remove deletes a resource. It returns nil once Azure no longer has it, and an Error until then.
func (k *Keeper) Remove(ctx context.Context, azure *armclient.Client, id, apiVersion string) error {
	known := k.of(id)
	known.Lock()
	defer known.Unlock()
	if known.kind == "PUT" {
		known.operation, known.kind = nil, "" // Of no interest any more; Azure refuses the DELETE while it matters.
	}
	if err := k.follow(ctx, known, id); err != nil {
		return err
	}
	existing, err := azure.Get(ctx, id, apiVersion)
	if armclient.IsNotFound(err) {
		k.Forget(id)
		return nil
	}
	if err != nil {
		return k.retry(classify(err))
	}
	if strings.EqualFold(existing.ProvisioningState(), "deleting") {
		return NewInProgress("DELETE", id, k.settings.Requeue)
	}
	if known.refused != nil && known.asked == "" && k.settings.Now().Before(known.until) {
		return k.retry(*known.refused)
	}
	known.asked, known.refused = "", nil
	operation, err := azure.BeginDelete(ctx, id, apiVersion)
	if err != nil {
		return k.refuse(known, classify(err))
	}
	known.operation, known.kind = operation, "DELETE"
	return NewInProgress("DELETE", id, k.settings.Requeue)
}

// follow looks at the operation under way, if there is one. It returns nil when there is none left.
func (k *Keeper) follow(ctx context.Context, known *memory, id string) error {
	if known.operation == nil {
		return nil
	}
	done, err := known.operation.Poll(ctx)
	if !done {
		if armclient.IsNotFound(err) {
			// The operation is forgotten; the resource itself says how it ended.
			known.operation, known.kind = nil, ""
			return nil
		}
		if err != nil {
			return k.retry(classify(err))
		}
		return NewInProgress(known.kind, id, k.settings.Requeue)
	}
	kind := known.kind
	known.operation, known.kind = nil, ""
	if err != nil && (kind != "DELETE" || !armclient.IsNotFound(err)) {
		return k.refuse(known, classify(err))
	}
	return nil
}

// refuse remembers a refusal, so that the same is not asked for again too soon.
func (k *Keeper) refuse(known *memory, refused refusal) error {
	known.refused = &refused
	wait := k.settings.Retry
	if refused.busy {
		wait = k.settings.Requeue
	}
	if refused.fatal {
		wait = k.settings.Sync
	}
	known.until = k.settings.Now().Add(max(wait, refused.retryAfter))
	return k.retry(refused)
}

func (k *Keeper) retry(refused refusal) error {
	if refused.fatal {
		return &Error{Outcome: Terminal, cause: refused.cause}
	}
	return NewTransient(refused.cause, max(k.settings.Requeue, refused.retryAfter))
}

func (k *Keeper) of(id string) *memory {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := strings.ToLower(id)
	if k.known[key] == nil {
		k.known[key] = &memory{}
	}
	return k.known[key]
}

// Forget drops what is known about a resource that something else deletes, so that a later one of the same name is not
// held to what this one was refused.
func (k *Keeper) Forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, strings.ToLower(id))
}

// normalize returns a fingerprint of body and body with plain JSON types, as Azure's answers have them.
func normalize(body armclient.Body) (string, armclient.Body, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return "", nil, err
	}
	plain := armclient.Body{}
	if err := json.Unmarshal(content, &plain); err != nil {
		return "", nil, err
	}
	return string(content), plain, nil
}
