package io.choria.aaasvc

import rego.v1

default allow := false

# Everything but taking servers out of service.
allow if {
	input.agent != "choria_provision"
}
