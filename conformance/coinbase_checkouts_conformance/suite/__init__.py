"""The claims: one module for each operation or topic, one test for each rule."""
