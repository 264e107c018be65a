package stack

import (
	"context"
	"strings"

	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/localstack/kubelet"
)

// registryDomain is where Azure's registries are. No other image is anybody's to refuse here.
const registryDomain = ".azurecr.io/"

// puller answers pulls by the kubelets of a managed cluster.
type puller interface {
	KubeletPull(clusterID, image string) sim.Pull
}

// registries are those of the simulated Azure, which comes up after the first clusters: it starts those it remembers.
type registries struct {
	azure chan puller // holds one, once it is there
}

func newRegistries() registries { return registries{azure: make(chan puller, 1)} }

func (r registries) open(azure puller) { r.azure <- azure }

// puller lets the nodes of a cluster pull what its kubelet identity may. Images of registries that do not exist are pulled, so that nobody has to
// create a registry to run an image.
func (r registries) puller(clusterID string) kubelet.Puller {
	return func(ctx context.Context, image string) string {
		if !strings.Contains(strings.ToLower(image), registryDomain) {
			return ""
		}
		var azure puller
		select {
		case azure = <-r.azure:
			r.azure <- azure
		case <-ctx.Done():
			return ctx.Err().Error()
		}
		switch answer := azure.KubeletPull(clusterID, image); answer.Reason {
		case sim.PullAllowed, sim.PullNoRegistry:
			return ""
		case sim.PullNotFound:
			// A kubelet leaves out only the code Unknown, which is that of all else.
			return "rpc error: code = NotFound desc = " + answer.Message
		default:
			return answer.Message
		}
	}
}
