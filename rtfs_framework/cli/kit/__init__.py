"""`rtfs plugin new`: a complete distribution of a plug-in, made of templates.

    kinds      what can be made: by kind its summary, module, permission, dependencies and usage
    names      which names a plug-in may have, and why not others
    rendering  from a kind and a name to files, as texts by path

Templates are the files below `templates/`, in the form of `string.Template`: nothing in them is code that runs here.
"""
