package resource

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
)

// fixture is a Keeper on a fake Azure, with a clock of its own.
type fixture struct {
	*testing.T
	arm    *fakeARM
	client *armclient.Client
	keeper *Keeper
	now    time.Time
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{T: t, now: time.Unix(1e9, 0)}
	f.arm, f.client = newFakeARM(t)
	f.restart()
	return f
}

// restart forgets everything.
func (f *fixture) restart() {
	f.keeper = NewKeeper(Settings{
		Requeue: time.Second, Retry: 5 * time.Second, Sync: time.Hour, Now: func() time.Time { return f.now },
	})
}

func spec(properties map[string]any) Spec {
	return Spec{
		ID: id, APIVersion: apiVersion, Exact: sets.New("labels"),
		Desired: func(armclient.Body) (armclient.Body, error) {
			return armclient.Body{"properties": properties}, nil
		},
	}
}

// ensure expects an outcome, "" for none.
func (f *fixture) ensure(s Spec, want Outcome) error {
	f.Helper()
	_, err := f.keeper.Ensure(f.Context(), f.client, s)
	f.expect(err, want)
	return err
}

func (f *fixture) remove(want Outcome) {
	f.Helper()
	f.expect(f.keeper.Remove(f.Context(), f.client, id, apiVersion), want)
}

func (f *fixture) expect(err error, want Outcome) {
	f.Helper()
	failure := As(err)
	if want == "" && err != nil || want != "" && (failure == nil || failure.Outcome != want) {
		f.Fatalf("got %v, want outcome %q", err, want)
	}
}

func (f *fixture) wrote(want string) {
	f.Helper()
	if got := f.arm.writes(); got != want {
		f.Fatalf("wrote %q, want %q", got, want)
	}
}

func TestCreatesOnceAndFollowsTheOperation(t *testing.T) {
	f := newFixture(t)
	wanted := spec(map[string]any{"size": "large"})
	f.ensure(wanted, InProgress)
	f.ensure(wanted, InProgress)
	f.arm.finish("")
	f.ensure(wanted, "")
	f.ensure(wanted, "")
	f.wrote("PUT")
}

func TestAfterARestartTheOperationOfBeforeIsWaitedFor(t *testing.T) {
	f := newFixture(t)
	wanted := spec(map[string]any{"size": "large"})
	f.ensure(wanted, InProgress)
	f.restart()
	f.ensure(wanted, InProgress)
	f.arm.finish("")
	f.ensure(wanted, "")
	f.wrote("PUT")
}

func TestWhatAzureFillsInIsNoDifference(t *testing.T) {
	f := newFixture(t)
	f.arm.set(map[string]any{"properties": map[string]any{"size": "large", "disk": 128, "provisioningState": "Succeeded"}})
	f.ensure(spec(map[string]any{"size": "large", "disk": 0, "zones": nil, "public": false}), "")
	f.wrote("")
}

func TestAnEagerSpecIsAskedForAlthoughItIsSo(t *testing.T) {
	f := newFixture(t)
	f.arm.set(map[string]any{"properties": map[string]any{"size": "large", "mode": "User"}})
	wanted := spec(map[string]any{"size": "large", "mode": "User"})
	less := spec(map[string]any{"size": "large"})
	f.ensure(wanted, "")
	f.ensure(less, "")
	f.wrote("")
	f.restart()
	wanted.Eager, less.Eager = true, true
	f.ensure(wanted, "") // after a restart nobody knows what was asked for before
	f.wrote("")
	f.ensure(less, InProgress)
	f.wrote("PUT")
}

func TestARemovedEntryOfAnExactPropertyIsADifference(t *testing.T) {
	f := newFixture(t)
	f.arm.set(map[string]any{"properties": map[string]any{"labels": map[string]any{"a": "1", "b": "2"}}})
	f.ensure(spec(map[string]any{"labels": map[string]any{"a": "1"}}), InProgress)
	f.wrote("PUT")
}

func TestAnAnswerThatNeverMatchesIsNotAskedForAgain(t *testing.T) {
	f := newFixture(t)
	wanted := spec(map[string]any{"size": "large"})
	f.ensure(wanted, InProgress)
	f.arm.finish("")
	f.arm.set(map[string]any{"properties": map[string]any{"size": "LARGE", "provisioningState": "Succeeded"}})
	f.ensure(wanted, "")
	f.wrote("PUT")
	f.now = f.now.Add(2 * time.Hour)
	f.ensure(wanted, InProgress)
	f.wrote("PUT PUT")
}

func TestAFatalRefusalIsFinalUntilSomethingElseIsWanted(t *testing.T) {
	f := newFixture(t)
	f.arm.refuse(&refusedRequest{status: 400, body: `{"error":{"code":"PropertyChangeNotAllowed","message":"Changing property 'vmSize' is not allowed."}}`})
	err := f.ensure(spec(map[string]any{"size": "large"}), Terminal)
	want := "reconcile error that cannot be recovered occurred: resource is not Ready: Changing property 'vmSize' is not allowed.. Object will not be requeued"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	f.now = f.now.Add(10 * time.Minute)
	f.ensure(spec(map[string]any{"size": "large"}), Terminal)
	f.wrote("PUT")
	f.arm.refuse(nil)
	f.ensure(spec(map[string]any{"size": "small"}), InProgress)
	f.wrote("PUT PUT")
}

func TestARefusalIsNotHeldAgainstTheNextOfTheSameName(t *testing.T) {
	f := newFixture(t)
	wanted := spec(map[string]any{"size": "large"})
	f.arm.refuse(&refusedRequest{status: 400, body: `{"error":{"code":"K8sVersionNotSupported","message":"no"}}`})
	f.ensure(wanted, Terminal)
	f.arm.refuse(nil)
	f.keeper.Forget(id)
	f.ensure(wanted, InProgress)
	f.wrote("PUT PUT")
}

func TestAConflictIsTriedAgainWhenAzureSays(t *testing.T) {
	f := newFixture(t)
	wanted := spec(map[string]any{"size": "large"})
	f.arm.refuse(&refusedRequest{status: 409, retryAfter: "3", body: `{"error":{"code":"OperationNotAllowed","message":"Another agentpool operation is in progress"}}`})
	err := f.ensure(wanted, Transient)
	if after := As(err).After; after != 3*time.Second {
		t.Errorf("tries again after %s, want 3s", after)
	}
	f.arm.refuse(nil)
	f.now = f.now.Add(2 * time.Second)
	f.ensure(wanted, Transient)
	f.wrote("PUT")
	f.now = f.now.Add(2 * time.Second)
	f.ensure(wanted, InProgress)
	f.wrote("PUT PUT")
}

func TestAFailedOperationKeepsItsReasonAndIsTriedAgain(t *testing.T) {
	f := newFixture(t)
	wanted := spec(map[string]any{"size": "large"})
	f.ensure(wanted, InProgress)
	f.arm.finish(`{"code":"QuotaExceeded","message":"exceeding approved Cores quota"}`)
	for range 2 {
		err := f.ensure(wanted, Transient)
		if !strings.HasPrefix(err.Error(), "resource is not Ready: exceeding approved Cores quota. Object will be requeued after") {
			t.Errorf("got %q", err)
		}
	}
	f.wrote("PUT")
	f.now = f.now.Add(6 * time.Second)
	f.ensure(wanted, InProgress)
	f.wrote("PUT PUT")
}

func TestWhatIsNotOursIsUsedAndLeftAlone(t *testing.T) {
	f := newFixture(t)
	f.arm.set(map[string]any{"properties": map[string]any{"size": "small"}})
	wanted := spec(map[string]any{"size": "large"})
	wanted.Adopt = func(armclient.Body) bool { return false }
	f.ensure(wanted, "")
	f.wrote("")
}

func TestABlockedChangeWaits(t *testing.T) {
	f := newFixture(t)
	wanted := spec(map[string]any{"size": "large"})
	why := "Managed cluster is in provisioning state \"Updating\""
	wanted.Blocked = func() string { return why }
	f.ensure(wanted, Transient)
	f.wrote("")
	why = ""
	f.ensure(wanted, InProgress)
	f.wrote("PUT")
}

func TestRemoveWaitsUntilItIsGone(t *testing.T) {
	f := newFixture(t)
	f.ensure(spec(map[string]any{"size": "large"}), InProgress)
	f.arm.finish("")
	f.remove(InProgress)
	f.remove(InProgress)
	f.arm.finish("")
	f.remove("")
	f.wrote("PUT DELETE")
}

func TestRemoveOfNothingIsDone(t *testing.T) {
	f := newFixture(t)
	f.remove("")
	f.wrote("")
}

func TestARefusedRemovalIsTriedAgain(t *testing.T) {
	f := newFixture(t)
	f.arm.set(map[string]any{"properties": map[string]any{"provisioningState": "Succeeded"}})
	f.arm.refuse(&refusedRequest{status: 400, body: `{"error":{"code":"OperationNotAllowed","message":"There has to be at least one system agent pool"}}`})
	f.remove(Transient)
	f.remove(Transient)
	f.wrote("DELETE")
	f.arm.refuse(nil)
	f.now = f.now.Add(6 * time.Second)
	f.remove(InProgress)
	f.wrote("DELETE DELETE")
}

// Azure Service Operator looks after its own requests and at its sync, and whoever reads its objects sees what it saw.
func TestWhatLagsIsAsOldAsTheLastLook(t *testing.T) {
	f := newFixture(t)
	azure := func(count int) {
		f.arm.set(map[string]any{"properties": map[string]any{"count": count, "provisioningState": "Succeeded"}})
	}
	described := 0.0
	wanted := Spec{
		ID: id, APIVersion: apiVersion, Lagging: []string{"count"},
		Desired: func(existing armclient.Body) (armclient.Body, error) {
			properties, _ := existing["properties"].(map[string]any)
			described, _ = properties["count"].(float64)
			return armclient.Body{"properties": map[string]any{"mode": properties["mode"], "scaled": true}}, nil
		},
	}
	sees := func(want int) {
		t.Helper()
		body, err := f.keeper.Ensure(t.Context(), f.client, wanted)
		if got, _ := body.Int("properties", "count"); err != nil || got != want || int(described) != want {
			t.Errorf("sees %d and describes with %v, want %d; %v", got, described, want, err)
		}
	}
	azure(2)
	f.ensure(wanted, InProgress)
	f.arm.finish("")
	azure(2)
	sees(2)
	azure(4)
	sees(2)
	f.now = f.now.Add(time.Hour)
	f.arm.set(map[string]any{"properties": map[string]any{"count": 4, "scaled": true, "provisioningState": "Succeeded"}})
	sees(4)
	azure(5)
	sees(4)
}
