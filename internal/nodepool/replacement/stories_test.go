package replacement

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/fleetwright/fleetwright/internal/agentpool"
)

// storyCase is how a story begins, what happens in it, and its end.
type storyCase struct {
	begin  func(t *testing.T) *story
	ends   string // the last plan's reason; "Ready" also checks the end state
	script []scripted
}

// stories are whole rollouts. The golden log of each is what a reviewer reads:
// a changed decision shows up as a changed story.
var stories = map[string]storyCase{
	"first-pool-with-its-cluster": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Cluster.Provisioned, s.w.Cluster.Operation = false, "Creating"
			s.w.Others = nil
			s.after(tControlPlane, func(s *story) { s.w.Cluster.Provisioned, s.w.Cluster.Operation = true, "" })
			return s
		},
	},
	"machine-type-changes": {
		ends:   "Ready",
		begin:  func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"version-waits-for-the-control-plane": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{
			{0, "one commit: control plane and pool to v1.35.0", func(s *story) {
				s.w.Nodepool.Spec.Version, s.w.Cluster.WantedVersion = "v1.35.0", "v1.35.0"
				s.w.Cluster.Operation = "Updating"
				s.after(10*time.Minute, func(s *story) { s.w.Cluster.Version, s.w.Cluster.Operation = "v1.35.0", "" })
			}},
		},
	},
	"version-follows-nobody": {
		ends:   "VersionSkew",
		begin:  func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{{0, "version v1.36.0", func(s *story) { s.w.Nodepool.Spec.Version = "v1.36.0" }}},
	},
	"labels-and-size-change-in-place": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{{0, "a label and replicas 5", func(s *story) {
			s.w.Nodepool.Spec.Labels = map[string]string{"team": "shop"}
			s.w.Nodepool.Spec.Replicas = ptr.To[int32](5)
		}}},
	},
	"scale-up-overtakes-a-drain": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(12) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "replicas 5 while pods move", func(s *story) { s.w.Nodepool.Spec.Replicas = ptr.To[int32](5) }},
		},
	},
	"spec-reverted-while-green-is-made": {
		ends:   "Ready",
		begin:  func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "machineType D8", setMachine("D8")}, {time.Minute, "back to D4", setMachine("D4")}},
	},
	"spec-reverted-while-pods-move": {
		ends:   "Ready",
		begin:  func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{{0, "machineType D8", setMachine("D8")}, {6 * time.Minute, "back to D4", setMachine("D4")}},
	},
	"second-change-while-green-is-made": {
		ends:   "Ready",
		begin:  func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "machineType D8", setMachine("D8")}, {time.Minute, "machineType D16", setMachine("D16")}},
	},
	"second-change-while-pods-move": {
		ends:   "Ready",
		begin:  func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{{0, "machineType D8", setMachine("D8")}, {6 * time.Minute, "machineType D16", setMachine("D16")}},
	},
	"third-change-while-three-pools-exist": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(12) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "machineType D16", setMachine("D16")},
			{12 * time.Minute, "machineType D32", setMachine("D32")},
		},
	},
	"azure-refuses-the-new-pool": {
		ends:  "ProvisioningFailed",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "machineType D96, of which there is no quota", func(s *story) {
			s.provisionFails = "QuotaExceeded: needs 288 vCPUs, 20 are left"
			setMachine("D96")(s)
		}}},
	},
	"refused-pool-is-given-up": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D96, of which there is no quota", func(s *story) {
				s.provisionFails = "QuotaExceeded: needs 288 vCPUs, 20 are left"
				setMachine("D96")(s)
			}},
			{10 * time.Minute, "back to D4", setMachine("D4")},
		},
	},
	"refused-pool-is-made-smaller": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D96 and replicas 100, of which there is no quota", func(s *story) {
				s.provisionFails = "QuotaExceeded: needs 9600 vCPUs, 200 are left"
				s.w.Nodepool.Spec.Replicas = ptr.To[int32](100)
				setMachine("D96")(s)
			}},
			{10 * time.Minute, "replicas 2", func(s *story) {
				s.provisionFails = ""
				s.w.Nodepool.Spec.Replicas = ptr.To[int32](2)
			}},
		},
	},
	"refused-pool-gets-closer-bounds": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return autoscaled(newStory(t).running(6)) },
		script: []scripted{
			{0, "machineType D96 and scaling 50..100, of which there is no quota", func(s *story) {
				s.provisionFails = "QuotaExceeded: needs 4800 vCPUs, 200 are left"
				s.w.Nodepool.Spec.Scaling = &agentpool.Scaling{Min: 50, Max: 100}
				setMachine("D96")(s)
			}},
			{10 * time.Minute, "scaling 1..2", func(s *story) {
				s.provisionFails = ""
				s.w.Nodepool.Spec.Scaling = &agentpool.Scaling{Min: 1, Max: 2}
			}},
		},
	},
	"azure-refuses-more-nodes": {
		ends:  "ProvisioningFailed",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "replicas 100, of which there is no quota", func(s *story) {
				s.provisionFails = "QuotaExceeded: needs 388 vCPUs, 20 are left"
				s.w.Nodepool.Spec.Replicas = ptr.To[int32](100)
			}},
		},
	},
	"azure-stumbles-while-green-is-made": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{time.Minute, "CAPZ could not list machines", func(s *story) {
				if p := &s.w.Pools[len(s.w.Pools)-1]; !p.Provisioned {
					p.Failure, p.FailureSince, p.Operation = "429 Too Many Requests", s.now, ""
				}
			}},
			{time.Minute + 20*time.Second, "it can again", func(s *story) {
				if p := &s.w.Pools[len(s.w.Pools)-1]; !p.Provisioned {
					p.Failure, p.Operation = "", "Creating"
				}
			}},
		},
	},
	"green-fails-with-some-of-its-nodes-and-is-given-up": {
		ends:  "ProvisioningFailed",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D96, of which there is no quota", func(s *story) {
				s.provisionFails = "QuotaExceeded: 2 of 3 machines were made"
				setMachine("D96")(s)
			}},
			{20 * time.Minute, "two of its nodes have joined; back to D4", func(s *story) {
				s.w.Pools[1].Unlisted = 2
				s.w.Nodepool.Spec.MachineType = "D4"
			}},
		},
	},
	"second-change-right-after-the-cordon": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "machineType D16 before a pod has moved", rightAfterTheCordon},
		},
	},
	"second-change-of-the-only-system-pool-right-after-the-cordon": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return systemStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "machineType D16 before a pod has moved", rightAfterTheCordon},
		},
	},
	"machines-never-become-nodes-and-the-change-is-changed": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{
			{0, "machineType D8 in a subnet that lets no node join", func(s *story) { s.noBoot = true; setMachine("D8")(s) }},
			{10 * time.Minute, "Azure lists 3 machines; machineType D16", func(s *story) {
				s.w.Pools[1].Members, s.noBoot = 3, false
				setMachine("D16")(s)
			}},
			{30 * time.Minute, "somebody deletes the machines in Azure", func(s *story) {
				for i := range s.w.Pools {
					s.w.Pools[i].Members = len(s.w.Pools[i].Nodes)
				}
			}},
		},
	},
	"azure-takes-a-machine-of-a-running-pool": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{
			{2 * time.Hour, "a Spot machine is taken", func(s *story) {
				p := &s.w.Pools[0]
				s.pending += s.pods[p.Nodes[0].Name]
				delete(s.pods, p.Nodes[0].Name)
				p.Nodes, p.Members = p.Nodes[1:], 2
				s.schedule()
			}},
			{5 * time.Hour, "Azure gives another", func(s *story) { s.boot(s.w.Pools[0].Object, 1) }},
		},
	},
	"mode-and-scaling-are-taken-out-of-the-spec": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			return autoscaled(systemStory(t).running(9))
		},
		script: []scripted{
			{0, "the lines mode and scaling are taken out", func(s *story) {
				s.w.Nodepool.Spec.Mode, s.w.Nodepool.Spec.Scaling = "", nil
			}},
			{time.Hour, "machineType D8", setMachine("D8")},
		},
	},
	"new-nodes-never-come": {
		ends:   "ProvisioningTimedOut",
		begin:  func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "machineType D8, no node boots", func(s *story) { s.noBoot = true; setMachine("D8")(s) }}},
	},
	"azure-says-upgraded-and-kubelets-are-old": {
		ends:  "ProvisioningTimedOut",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "version v1.34.2, kubelets say v1.33.5", func(s *story) {
			s.bootVersion = "v1.33.5"
			s.w.Nodepool.Spec.Version = "v1.34.2"
		}}},
	},
	"budget-that-never-yields": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D8; the budget allows nothing", func(s *story) { s.budget = 0; setMachine("D8")(s) }},
			{2 * time.Hour, "its owner helps", func(s *story) { s.budget = 2 }},
		},
	},
	"cluster-unreachable-while-pods-move": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "the API server does not answer", func(s *story) { s.w.Cluster.Unreachable = "i/o timeout" }},
			{16 * time.Minute, "it answers again", func(s *story) { s.w.Cluster.Unreachable = "" }},
		},
	},
	"another-pool-is-being-changed": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "somebody scales pool system; machineType D8", func(s *story) { s.w.Others[0].Operation = "Updating"; setMachine("D8")(s) }},
			{5 * time.Minute, "system is done", func(s *story) { s.w.Others[0].Operation = "" }},
		},
	},
	"another-pool-cannot-be-deleted": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{{0, "a lock keeps pool batch from being deleted; machineType D8", func(s *story) {
			s.w.Others = append(s.w.Others, Neighbour{Name: "batch", Mode: "User", Deleting: true, Failure: "ScopeLocked"})
			setMachine("D8")(s)
		}}},
	},
	"autoscaled-pool-grows-while-green-is-made": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return autoscaled(newStory(t).running(9)) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{time.Minute, "the autoscaler adds two old nodes", func(s *story) { s.boot(s.w.Pools[0].Object, 2) }},
		},
	},
	"autoscaled-pool-while-the-cluster-does-not-answer": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return autoscaled(newStory(t).running(9)) },
		script: []scripted{
			{0, "machineType D8; the API server does not answer", func(s *story) { s.w.Cluster.Unreachable = "i/o timeout"; setMachine("D8")(s) }},
			{10 * time.Minute, "it answers again", func(s *story) { s.w.Cluster.Unreachable = "" }},
		},
	},
	"third-change-while-the-second-pool-boots": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(12) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "machineType D16", setMachine("D16")},
			{10*time.Minute + 20*time.Second, "a pod starts on its first node; machineType D32 and replicas 5", func(s *story) {
				if newest := s.w.Pools[len(s.w.Pools)-1]; len(newest.Nodes) > 0 {
					s.pods[newest.Nodes[0].Name]++
				}
				s.w.Nodepool.Spec.Replicas = ptr.To[int32](5)
				setMachine("D32")(s)
			}},
		},
	},
	"node-of-a-running-pool-fails": {
		ends:   "TooFewReadyNodes",
		begin:  func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{{2 * time.Hour, "a kubelet stops", func(s *story) { s.w.Pools[0].Nodes[0].Ready = false }}},
	},
	"azure-upgraded-the-nodes-by-itself": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{{0, "kubelets say v1.34.2-akslts", func(s *story) {
			for i := range s.w.Pools[0].Nodes {
				s.w.Pools[0].Nodes[i].Version = "v1.34.2-akslts"
			}
		}}},
	},
	"made-again-under-the-same-name": {
		ends:  "NameConflict",
		begin: func(t *testing.T) *story { return newStory(t) },
		script: []scripted{{0, "a backup was restored", func(s *story) {
			s.w.Others = append(s.w.Others, Neighbour{Name: "generaj79hk", Owner: "prod-general", Object: "prod-general-j79hk", Mode: "User", ReadyNodes: 3})
		}}},
	},
	"control-plane-is-not-written-yet": {
		ends: "WaitingForCluster",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Cluster, s.w.Nodepool.Spec.Version, s.w.Others = Cluster{Name: "prod", Found: true}, "", nil
			return s
		},
	},
	"machines-never-become-nodes-and-the-change-is-taken-back": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{
			{0, "machineType D8 in a subnet that lets no node join", func(s *story) { s.noBoot = true; setMachine("D8")(s) }},
			{10 * time.Minute, "Azure lists 3 machines; back to D4", func(s *story) { s.w.Pools[1].Members = 3; setMachine("D4")(s) }},
			{20 * time.Minute, "somebody deletes the new MachinePool", func(s *story) {
				s.act(Plan{Action: Action{Kind: DeletePool, Object: s.w.Pools[1].Object, UID: s.w.Pools[1].UID}})
			}},
		},
	},
	"new-pool-deleted-by-hand": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{4 * time.Minute, "somebody deletes the new pool", func(s *story) {
				if len(s.w.Pools) == 1 {
					return // in a world this quick the new pool is the only one already
				}
				s.act(Plan{Action: Action{Kind: DeletePool, Object: s.w.Pools[1].Object, UID: s.w.Pools[1].UID}})
			}},
		},
	},
	"old-pool-deleted-by-hand-while-pods-move": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "somebody deletes the old pool", func(s *story) {
				if p := s.w.Pools[0]; len(s.w.Pools) == 2 && !p.Deleting {
					s.act(Plan{Action: Action{Kind: DeletePool, Object: p.Object, UID: p.UID}})
				}
			}},
		},
	},
	"pool-edited-by-hand": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(6)
			s.w.Nodepool.Spec.Labels = map[string]string{"team": "shop"}
			s.w.Pools[0].Spec.Labels = map[string]string{"team": "shop"}
			return s
		},
		script: []scripted{
			{0, "somebody changes a label and the number of nodes of the MachinePool", func(s *story) {
				p := &s.w.Pools[0]
				p.Spec.Labels, p.Spec.Replicas, p.Size = map[string]string{"team": "me"}, ptr.To[int32](5), ptr.To[int32](5)
			}},
			{time.Hour, "somebody upgrades its nodes in Azure and in the MachinePool", func(s *story) {
				p := &s.w.Pools[0]
				p.Spec.Version = "v1.34.2"
				for i := range p.Nodes {
					p.Nodes[i].Version = "v1.34.2"
				}
			}},
		},
	},
	"pool-two-minors-behind-goes-in-one-replacement": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Nodepool.Spec.Version, s.w.Cluster.Version, s.w.Cluster.WantedVersion = "v1.32.9", "v1.32.9", "v1.32.9"
			return s.running(3)
		},
		script: []scripted{
			{0, "the control plane goes to v1.33.5, the pool may stay", func(s *story) {
				s.w.Cluster.WantedVersion, s.w.Cluster.Operation = "v1.33.5", "Updating"
				s.after(10*time.Minute, func(s *story) { s.w.Cluster.Version, s.w.Cluster.Operation = "v1.33.5", "" })
			}},
			{time.Hour, "the control plane goes to v1.34.2 and the pool with it", func(s *story) {
				s.w.Nodepool.Spec.Version, s.w.Cluster.WantedVersion, s.w.Cluster.Operation = "v1.34.2", "v1.34.2", "Updating"
				s.after(10*time.Minute, func(s *story) { s.w.Cluster.Version, s.w.Cluster.Operation = "v1.34.2", "" })
			}},
		},
	},
	"new-nodes-have-a-broken-image-and-the-change-is-taken-back": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "os.sku whose image does not boot", func(s *story) { s.noBoot = true; s.w.Nodepool.Spec.OSSKU = "AzureLinux" }},
			{2 * time.Hour, "back to what it was", func(s *story) {
				s.w.Nodepool.Spec.OSSKU = ""
				for i := range s.w.Pools {
					s.w.Pools[i].Members = len(s.w.Pools[i].Nodes) // its machines are deleted in Azure, as the message says
				}
			}},
		},
	},
	"identity-conflict": {
		ends:  "IdentityConflict",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "a node claims two pools; machineType D8", func(s *story) {
			s.w.Pools[0].IdentityConflict = "node node01 carries label agentpool=system"
			setMachine("D8")(s)
		}}},
	},
	"paused-in-the-middle": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "Cluster paused", func(s *story) { s.w.Nodepool.Hold = Hold{Reason: "ClusterPaused", Message: "Cluster prod is paused"} }},
			{66 * time.Minute, "Cluster resumed", func(s *story) { s.w.Nodepool.Hold = Hold{} }},
		},
	},
	"only-system-pool-is-replaced": {
		ends:   "Ready",
		begin:  func(t *testing.T) *story { return systemStory(t).running(4) },
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"only-system-pool-is-deleted": {
		ends:   "LastSystemPool",
		begin:  func(t *testing.T) *story { return systemStory(t).running(0) },
		script: []scripted{{0, "deleted", func(s *story) { s.w.Nodepool.Deleting = true }}},
	},
	"windows-pool": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Nodepool.Spec.OSType = "Windows"
			return s.running(3)
		},
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"deleted-with-pods": {
		ends: "DeletingPool",
		begin: func(t *testing.T) *story {
			return newStory(t).running(6)
		},
		script: []scripted{{0, "deleted", func(s *story) { s.w.Nodepool.Deleting = true }}},
	},
	"deleted-during-a-replacement": {
		ends:  "DeletingPool",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "deleted", func(s *story) { s.w.Nodepool.Deleting = true }},
		},
	},
	"deleted-with-its-cluster": {
		ends:  "DeletingPool",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "Cluster and Nodepool deleted", func(s *story) {
			s.w.Nodepool.Deleting, s.w.Cluster.Deleting = true, true
		}}},
	},
	"deleted-while-the-control-plane-cannot-be-found": {
		ends:  "DeletingPool",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "somebody removed the control plane's object; deleted", func(s *story) {
				s.w.Nodepool.Deleting, s.w.Cluster.Provisioned = true, false
			}},
			{2 * time.Hour, "it is back", func(s *story) { s.w.Cluster.Provisioned = true }},
		},
	},
	"deleted-while-the-cluster-cannot-be-found": {
		ends:  "ClusterNotFound",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "the Cluster is gone without its pools; deleted", func(s *story) {
			s.w.Nodepool.Deleting, s.w.Cluster = true, Cluster{Name: "prod"}
		}}},
	},
	"deleted-before-the-cluster-came-up": {
		ends: "DeletingPool",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Cluster.Provisioned, s.w.Others = false, nil
			return s
		},
		script: []scripted{{20 * time.Second, "deleted", func(s *story) { s.w.Nodepool.Deleting = true }}},
	},
	"only-system-pool-becomes-a-user-pool": {
		ends:  "LastSystemPool",
		begin: func(t *testing.T) *story { return systemStory(t).running(4) },
		script: []scripted{{0, "machineType D8 and mode User", func(s *story) {
			setMachine("D8")(s)
			s.w.Nodepool.Spec.Mode = "User"
		}}},
	},
	"only-system-pools-are-deleted": {
		ends:  "LastSystemPool",
		begin: func(t *testing.T) *story { return systemStory(t).running(4) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{4*time.Minute + 30*time.Second, "deleted when both pools are ready", func(s *story) { s.w.Nodepool.Deleting = true }},
		},
	},
	"scale-up-while-azure-refuses-the-new-pool": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D96, of which there is no quota", func(s *story) {
				s.provisionFails = "QuotaExceeded: needs 288 vCPUs, 20 are left"
				setMachine("D96")(s)
			}},
			{30 * time.Minute, "traffic comes: replicas 8", func(s *story) {
				s.provisionFails = ""
				s.w.Nodepool.Spec.Replicas = ptr.To[int32](8)
				s.after(time.Second, func(s *story) { s.provisionFails = "QuotaExceeded: needs 768 vCPUs, 20 are left" })
				s.after(2*time.Hour, func(s *story) { s.provisionFails = "" })
			}},
			{3 * time.Hour, "back to D4", setMachine("D4")},
		},
	},
	"autoscaled-pool-is-replaced-and-taken-back": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return autoscaled(newStory(t).running(9)) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "back to D4 while pods move", setMachine("D4")},
		},
	},
	"autoscaled-pool-with-bounds-of-its-own-is-taken-back": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := autoscaled(newStory(t).running(9))
			s.w.Nodepool.Spec.Scaling = nil // nobody says
			return s
		},
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "back to D4 while pods move", setMachine("D4")},
			{2 * time.Hour, "the bounds are written down as they were", func(s *story) {
				s.w.Nodepool.Spec.Scaling = &agentpool.Scaling{Min: 1, Max: 10}
			}},
		},
	},
	"large-pool-shifts-in-stages-under-the-node-cap": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Nodepool.Spec.Replicas = ptr.To[int32](8)
			s.w.Cluster.NodeCap = 11
			s.budget = 4
			return s.running(16)
		},
		script: []scripted{{0, "machineType D8; 8 more nodes are too many for the cluster", setMachine("D8")}},
	},
	"shift-in-stages-is-taken-back-half-way": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Nodepool.Spec.Replicas = ptr.To[int32](8)
			s.w.Cluster.NodeCap = 11
			s.budget = 4
			return s.running(16)
		},
		script: []scripted{
			{0, "machineType D8; 8 more nodes are too many for the cluster", setMachine("D8")},
			{12 * time.Minute, "back to D4", setMachine("D4")},
		},
	},
	"autoscaled-pool-shifts-in-stages-for-want-of-quota": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := autoscaled(newStory(t).running(12))
			s.budget, s.quota = 4, 4
			return s
		},
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"shift-in-stages-is-refused-a-node-half-way": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(9)
			s.w.Nodepool.Strategy, s.w.Nodepool.MaxSurge, s.budget = "StagedShift", ptr.To(intstr.FromInt32(1)), 3
			return s
		},
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "others have taken what was left of the quota", func(s *story) { s.provisionFails = "QuotaExceeded: 6 vCPUs are left, 8 are needed" }},
			{2 * time.Hour, "the quota is raised, and CAPZ tries again", func(s *story) {
				s.provisionFails = ""
				for i := range s.w.Pools {
					if p := &s.w.Pools[i]; p.Failure != "" {
						if p.Failure = ""; p.Provisioned {
							s.resized(p, true)
						} else {
							s.provisioned(p.Object)
						}
					}
				}
			}},
		},
	},
	"shift-in-stages-because-the-spec-says-so": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(9)
			s.w.Nodepool.Strategy, s.budget = "StagedShift", 3
			s.w.Nodepool.MaxSurge = ptr.To(intstr.FromInt32(2))
			return s
		},
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"no-room-for-a-single-node": {
		ends: "WaitingForCapacity",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(6)
			s.w.Cluster.NodeCap = 3
			return s
		},
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"whole-new-pool-waits-for-room": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(6)
			s.w.Cluster.NodeCap, s.w.Nodepool.Strategy = 5, "FullGreen"
			return s
		},
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{time.Hour, "the cluster may have 6 nodes", func(s *story) { s.w.Cluster.NodeCap = 6 }},
		},
	},
	"in-place-only-reports-and-waits": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(3)
			s.w.Nodepool.Strategy = "InPlaceOnly"
			return s
		},
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{time.Hour, "strategy Auto", func(s *story) { s.w.Nodepool.Strategy = "" }},
		},
	},
	"machine-type-is-not-offered": {
		ends:  "SKUNotAvailable",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "machineType D9, which Azure does not have here", func(s *story) {
			s.azure.Refused = "westeurope does not offer D9"
			setMachine("D9")(s)
		}}},
	},
	"window-opens-later": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(30)
			s.w.Nodepool.Window = Window{Closed: true, Opens: s.now.Add(13 * time.Hour)}
			return s
		},
		script: []scripted{
			{0, "machineType D8 and a label", func(s *story) {
				s.w.Nodepool.Spec.Labels = map[string]string{"team": "shop"}
				setMachine("D8")(s)
			}},
			{2 * time.Hour, "traffic comes: replicas 5", func(s *story) { s.w.Nodepool.Spec.Replicas = ptr.To[int32](5) }},
			{13 * time.Hour, "the window opens", func(s *story) { s.w.Nodepool.Window = Window{} }},
			{13*time.Hour + 12*time.Minute, "it closes; what has begun goes on", func(s *story) {
				s.w.Nodepool.Window = Window{Closed: true, Opens: s.now.Add(24 * time.Hour)}
			}},
		},
	},
	"old-pool-soaks-and-goes": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(6)
			s.w.Nodepool.Soak = 24 * time.Hour
			return s
		},
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"spec-reverted-while-the-old-pool-soaks-at-zero": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := autoscaled(newStory(t).running(9))
			s.w.Nodepool.Soak = 24 * time.Hour
			return s
		},
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{12 * time.Hour, "back to D4", setMachine("D4")},
		},
	},
	"spec-reverted-while-the-old-pool-soaks-cordoned": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := systemStory(t).running(6)
			s.w.Nodepool.Soak = 24 * time.Hour
			return s
		},
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{12 * time.Hour, "back to D4", setMachine("D4")},
		},
	},
	"next-change-while-the-old-pool-soaks": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(6)
			s.w.Nodepool.Soak = 24 * time.Hour
			return s
		},
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{12 * time.Hour, "machineType D16", setMachine("D16")},
		},
	},
	"frozen-in-the-middle-and-scaled-up": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "a freeze holds what is disruptive", func(s *story) {
				s.w.Nodepool.Hold = Hold{Reason: "Frozen", Message: "Freeze fleet/incident-4711: INC-4711", NonDisruptive: true}
			}},
			{16 * time.Minute, "replicas 5, in the emergency", func(s *story) { s.w.Nodepool.Spec.Replicas = ptr.To[int32](5) }},
			{66 * time.Minute, "the freeze is lifted", func(s *story) { s.w.Nodepool.Hold = Hold{} }},
		},
	},
	"frozen-before-the-change": {
		ends: "Frozen",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(3)
			s.w.Nodepool.Hold = Hold{Reason: "Frozen", Message: "Freeze fleet/xmas: quiet time", NonDisruptive: true}
			return s
		},
		script: []scripted{{0, "machineType D8", setMachine("D8")}},
	},
	"frozen-pool-is-scaled-up-and-not-replaced": {
		ends: "Frozen",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(3)
			s.w.Nodepool.Hold = Hold{Reason: "Frozen", Message: "Freeze fleet/xmas: quiet time", NonDisruptive: true}
			return s
		},
		script: []scripted{{0, "machineType D8, replicas 5 and a NoExecute taint", func(s *story) {
			s.w.Nodepool.Spec.Replicas = ptr.To[int32](5)
			s.w.Nodepool.Spec.Taints = []agentpool.Taint{{Key: "k", Effect: "NoExecute"}}
			setMachine("D8")(s)
		}}},
	},
	"rollout-after-a-moment": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{{0, "rolloutAfter in an hour: a newer node image", func(s *story) {
			s.w.Nodepool.RolloutAfter = s.now.Add(time.Hour)
			s.after(time.Hour, func(*story) {})
		}}},
	},
	"pods-with-volumes-wait-for-their-zone": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t).running(6)
			s.pinned = map[string]int{"westeurope-2": 2}
			s.zones["D8"] = "westeurope-1"
			return s
		},
		script: []scripted{
			{0, "machineType D8 in zone 1", setMachine("D8")},
			{time.Hour, "a node of it comes up in zone 2", func(s *story) {
				if p := &s.w.Pools[len(s.w.Pools)-1]; len(p.Nodes) > 0 {
					p.Nodes[0].Zone = "westeurope-2"
				}
			}},
		},
	},
	"another-nodepool-comes-first": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "machineType D8; two others want the slot too", func(s *story) {
				s.w.Ahead = []Turn{{"prod-batch", "change replicas 3 -> 9"}, {"prod-db", "create a pool for maxPods 30 -> 60"}}
				setMachine("D8")(s)
			}},
			{5 * time.Minute, "prod-batch is done", func(s *story) { s.w.Ahead = s.w.Ahead[1:] }},
			{9 * time.Minute, "prod-db too", func(s *story) { s.w.Ahead = nil }},
		},
	},
	"operation-of-somebody-else-is-stuck": {
		ends:  "OperationStuck",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "somebody upgrades pool system; machineType D8", func(s *story) {
				s.w.Others[0].Operation, s.w.Others[0].OperationSince = "Updating", s.now
				setMachine("D8")(s)
			}},
			{3 * time.Hour, "three hours pass", func(*story) {}},
		},
	},
	"pool-is-stuck-updating": {
		ends:  "OperationStuck",
		begin: func(t *testing.T) *story { return newStory(t).running(6) },
		script: []scripted{
			{0, "pool is Updating for ever; machineType D8", func(s *story) {
				s.w.Pools[0].Operation, s.w.Pools[0].OperationSince = "Updating", s.now
				setMachine("D8")(s)
			}},
			{3 * time.Hour, "three hours pass", func(*story) {}},
		},
	},
	"existing-pool-is-shown-and-adopted": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			old := s.w.Nodepool.Spec
			old.MaxPods = 30 // nobody asks for another number
			s.w.Adoptable = []Adoptable{{Object: "np1", Name: "np1", Found: true, Spec: old}}
			s.w.Nodepool.Spec.Labels = map[string]string{"team": "shop"}
			return s
		},
		script: []scripted{
			{time.Hour, "adoption.policy Adopt", func(s *story) { s.w.Nodepool.Adopt = true }},
		},
	},
	"adopted-pool-is-replaced-by-the-next-change": {
		ends: "Ready",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Adoptable = []Adoptable{{Object: "np1", Name: "np1", Found: true, Spec: s.w.Nodepool.Spec}}
			s.w.Nodepool.Adopt = true
			return s
		},
		script: []scripted{
			{time.Minute, "machineType D8", setMachine("D8")},
			{time.Hour, "the adopted MachinePool is gone", func(s *story) { s.w.Adoptable[0] = Adoptable{Object: "np1"} }},
		},
	},
	"pool-to-adopt-is-somebody-elses": {
		ends: "AlreadyOwned",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Adoptable = []Adoptable{{Object: "np1", Name: "np1", Found: true, Owner: "prod-batch", Spec: s.w.Nodepool.Spec}}
			return s
		},
	},
	"pool-to-adopt-is-made-by-the-topology": {
		ends: "AlreadyOwned",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Adoptable = []Adoptable{{Object: "np1", Name: "np1", Found: true, Topology: true, Spec: s.w.Nodepool.Spec}}
			s.w.Nodepool.Adopt = true
			return s
		},
	},
	"pool-to-adopt-does-not-exist": {
		ends: "MachinePoolNotFound",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Adoptable = []Adoptable{{Object: "np1"}}
			return s
		},
	},
	"deleted-and-retained-in-the-middle": {
		ends:  "DeletingPool",
		begin: func(t *testing.T) *story { return autoscaled(newStory(t).running(9)) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "deleted with deletionPolicy Retain", func(s *story) {
				s.w.Nodepool.Deleting, s.w.Nodepool.DeletionPolicy = true, "Retain"
			}},
		},
	},
	"deleted-and-protected": {
		ends:  "DeletingPool",
		begin: func(t *testing.T) *story { return newStory(t).running(3) },
		script: []scripted{
			{0, "deleted with deletionPolicy Protect", func(s *story) {
				s.w.Nodepool.Deleting, s.w.Nodepool.DeletionPolicy = true, "Protect"
			}},
			{time.Hour, "deletionPolicy Delete", func(s *story) { s.w.Nodepool.DeletionPolicy = "Delete" }},
		},
	},
	"node-is-lost-while-pods-move": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "an old machine is gone", func(s *story) {
				if p := &s.w.Pools[0]; len(s.w.Pools) == 2 && len(p.Nodes) > 0 {
					s.leave(p, p.Nodes[0].Name)
				}
			}},
		},
	},
	"new-node-is-lost-while-pods-move": {
		ends:  "Ready",
		begin: func(t *testing.T) *story { return newStory(t).running(9) },
		script: []scripted{
			{0, "machineType D8", setMachine("D8")},
			{6 * time.Minute, "a new node fails", func(s *story) {
				if p := s.w.Pools[len(s.w.Pools)-1]; len(p.Nodes) > 0 {
					p.Nodes[0].Ready = false
				}
			}},
			{2 * time.Hour, "it comes back", func(s *story) {
				if p := s.w.Pools[len(s.w.Pools)-1]; len(p.Nodes) > 0 {
					p.Nodes[0].Ready, p.Nodes[0].ReadySince = true, s.now
				}
			}},
			{2*time.Hour + 5*time.Minute, "a while later", func(*story) {}},
		},
	},
	"cluster-is-not-there": {
		ends: "ClusterNotFound",
		begin: func(t *testing.T) *story {
			s := newStory(t)
			s.w.Cluster = Cluster{Name: "prod"}
			return s
		},
	},
}

func setMachine(m string) func(*story) {
	return func(s *story) {
		s.w.Nodepool.Spec.MachineType = m
		if m != "D96" {
			s.provisionFails = ""
		}
	}
}

// rightAfterTheCordon makes a second change when the old nodes are closed and
// the new ones are still without pods.
func rightAfterTheCordon(s *story) {
	if len(s.w.Pools) == 2 {
		for i := range s.w.Pools {
			closed := i == 0
			s.w.Pools[i].DrainStarted = time.Time{}
			if closed {
				s.w.Pools[i].DrainStarted = s.now
			}
			for n := range s.w.Pools[i].Nodes {
				node := &s.w.Pools[i].Nodes[n]
				node.Cordoned, node.CordonedByUs = closed, closed
				if !closed {
					s.pods[s.w.Pools[0].Nodes[0].Name] += s.pods[node.Name]
					delete(s.pods, node.Name)
				}
			}
		}
	}
	setMachine("D16")(s)
}

// autoscaled hands a running pool of three nodes to the autoscaler.
func autoscaled(s *story) *story {
	scaling := &agentpool.Scaling{Min: 1, Max: 10}
	s.w.Nodepool.Spec.Replicas, s.w.Nodepool.Spec.Scaling = nil, scaling
	s.w.Pools[0].Spec.Replicas, s.w.Pools[0].Spec.Scaling = nil, scaling
	return s
}

func systemStory(t *testing.T) *story {
	t.Helper()
	s := newStory(t)
	s.w.Others = nil
	s.w.Nodepool.Name, s.w.Nodepool.BaseName = "prod-system", "system"
	s.w.Nodepool.Spec.Mode = "System"
	return s
}
