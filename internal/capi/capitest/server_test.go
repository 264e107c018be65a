package capitest

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/agentpool"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

// CAPZ's own definitions accept every object that is made, know each of its
// fields, and lose none.
func TestDefinitionsOfCAPZ(t *testing.T) {
	const crds = "../../../localstack/crds/generated/"
	config := testkit.APIServer(t,
		crds+"capi/machinepools.cluster.x-k8s.io.json",
		crds+"capz/azuremanagedmachinepools.infrastructure.cluster.x-k8s.io.json",
		crds+"capz/azureasomanagedmachinepools.infrastructure.cluster.x-k8s.io.json")
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, capi.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	server, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	server = client.WithFieldValidation(server, metav1.FieldValidationStrict)
	if err := server.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "prod-eu"}}); err != nil {
		t.Fatal(err)
	}
	// MachineDrainRules are not among the definitions.
	if rules, err := (capi.Cluster{Namespace: "prod-eu"}).ReadDrainRules(t.Context(), server, capi.Pool{}); err != nil || len(rules) > 0 {
		t.Errorf("where the kind is not known, there are %d MachineDrainRules (%v), want none", len(rules), err)
	}
	for _, f := range capi.Flavors() {
		t.Run(f.Kinds().Pool.Kind, func(t *testing.T) {
			made := newPool(f, everything)
			for _, o := range []client.Object{made.Infra, made.MachinePool} {
				o.SetName(strings.ToLower(f.Kinds().Pool.Kind)) // both flavours' are called the same
				if err := server.Create(t.Context(), o); err != nil {
					t.Fatal(err)
				}
			}
			if changes := agentpool.Changes(everything, reread(made).Spec); len(changes) > 0 {
				t.Errorf("made and read back, it differs: %s", agentpool.Describe(changes))
			}
			wanted := agentpool.Spec{Mode: "System", ScaleDownMode: "Delete", Overrides: map[string]string{"upgradeSettings.maxSurge": `"1"`}, Replicas: new(int32(2))}
			made.SetInPlace(wanted, nil, "general")
			if err := server.Update(t.Context(), made.Infra); err != nil {
				t.Fatal(err)
			}
			made.MachinePool.Spec.Replicas = wanted.Replicas
			if changes := agentpool.Changes(wanted, reread(made).Spec); len(changes) > 0 {
				t.Errorf("changed and read back, it differs: %s", agentpool.Describe(changes))
			}
		})
	}
}
