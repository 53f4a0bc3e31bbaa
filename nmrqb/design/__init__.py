"""From a wanted Hamiltonian, unitary or state to a pulse sequence."""
