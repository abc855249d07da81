"""Model files that users bring: what they are, how they are read safely, where they are kept.

===============  ==========================================================================
``kinds``        what a file can be, and the description of one
``onnx_file``    reads an ONNX file without running or trusting anything in it
``recognise``    says what a file is, by its inputs, outputs, initializers and nodes
``store``        the user's folder of models
``download``     fetches a file over http(s), resumable
``licences``     what is known of the licence of each family
===============  ==========================================================================
"""
